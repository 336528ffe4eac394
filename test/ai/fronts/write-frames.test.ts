import { expect, test } from '@jest/globals';
import type { StreamFrame } from '../../../lib/ai/completion/stream-frame.ts';
import { writeFrames } from '../../../lib/ai/fronts/write-frames.ts';

const chunkOf = (content: string): StreamFrame => ({
  kind: 'chunk',
  chunk: {
    id: 'c',
    object: 'chat.completion.chunk',
    created: 1,
    model: 'm',
    choices: [{ index: 0, delta: { content }, finish_reason: null }],
  },
});

test('a frame that cannot be written ends the stream with an error, and closes the stream of the provider', async () => {
  let closed = false;
  async function* frames() {
    try {
      yield [chunkOf('good'), chunkOf('bad'), chunkOf('never')];
      yield [chunkOf('never')];
    } finally {
      closed = true;
    }
  }
  const logged: string[] = [];
  const textOf = (frame: StreamFrame) => {
    if (frame.kind === 'failure') return `error ${frame.error.code}\n`;
    const text = frame.kind === 'chunk' ? String(frame.chunk.choices[0]?.delta.content) : frame.kind;
    if (text === 'bad') throw new TypeError('not text');
    return `${text}\n`;
  };
  let written = '';
  for await (const piece of writeFrames(frames(), textOf, { error: (event) => void logged.push(event) }))
    written += Buffer.from(piece).toString();
  expect({ written, closed, logged }).toEqual({ written: 'good\nerror internal_error\n', closed: true, logged: ['frame_not_written'] });
});
