import { expect, test } from '@jest/globals';
import { completionParts } from '../../../lib/ai/completion/attempts/completion-parts.ts';
import type { ChatCompletion } from '../../../lib/ai/wire/chat.ts';

test('a whole answer that is streamed keeps its images and annotations', () => {
  const said = {
    images: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } }],
    annotations: [{ type: 'url_citation', url_citation: { url: 'https://example.org' } }],
  };
  const message = { role: 'assistant', content: 'Look.', refusal: null, ...said };
  const head = { id: 'c', object: 'chat.completion', created: 1, model: 'm' };
  const completion = { ...head, choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }] } as unknown as ChatCompletion;
  const deltas = completionParts(completion, undefined).flatMap((part) =>
    part.kind === 'chunk' ? part.chunk.choices.map(({ delta }) => delta) : [],
  );
  expect(deltas).toEqual([{ role: 'assistant', content: 'Look.', ...said }, {}]);
});
