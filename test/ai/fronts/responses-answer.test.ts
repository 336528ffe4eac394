import { describe, expect, test } from '@jest/globals';
import type { StreamFrame } from '../../../lib/ai/completion/stream-frame.ts';
import { responsesFront } from '../../../lib/ai/fronts/responses/responses-front.ts';
import type { ChatCompletion, ChunkDelta, FinishReason } from '../../../lib/ai/wire/chat.ts';
import { AppError } from '../../../lib/platform/errors.ts';
import { createSseParser } from '../../../lib/platform/sse/sse-parser.ts';

const front = (body: object = {}) =>
  responsesFront({ model: 'asked', input: 'hi', ...body }, { request_id: 'req_1', nowMs: 1_767_225_600_000, text: '' });
const usage = {
  prompt_tokens: 9,
  completion_tokens: 12,
  total_tokens: 21,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 2 },
};
const brokle = { cost: 0.00042 } as never;

describe('a whole answer', () => {
  const completed = (message: object, finish_reason: FinishReason = 'stop', body = {}) => {
    const completion = {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 0,
      model: 'served',
      choices: [{ index: 0, message: { role: 'assistant', content: null, refusal: null, ...message }, logprobs: null, finish_reason }],
      usage,
    } satisfies Omit<ChatCompletion, 'choices'> & { choices: object[] };
    return front(body).completion({ ...completion, brokle } as never) as Record<string, unknown>;
  };

  test('is a completed response with its message, usage and what the gateway says', () => {
    const metadata = { a: 'b' };
    expect(completed({ content: 'Hello.' }, 'stop', { metadata, instructions: 'Be brief.' })).toMatchObject({
      id: expect.stringMatching(/^resp_[0-9a-z]{26}$/),
      object: 'response',
      created_at: 1_767_225_600,
      status: 'completed',
      error: null,
      incomplete_details: null,
      instructions: 'Be brief.',
      metadata,
      model: 'served',
      output: [
        {
          id: expect.stringMatching(/^msg_/),
          type: 'message',
          status: 'completed',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'Hello.', annotations: [], logprobs: [] }],
        },
      ],
      parallel_tool_calls: true,
      store: false,
      tool_choice: 'auto',
      tools: [],
      usage: {
        input_tokens: 9,
        input_tokens_details: { cached_tokens: 4 },
        output_tokens: 12,
        output_tokens_details: { reasoning_tokens: 2 },
        total_tokens: 21,
      },
      brokle,
    });
  });

  test('with reasoning and calls has an item for each, in this order', () => {
    const call = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '' } });
    expect(
      completed({ reasoning_content: 'Hm.', content: 'Wait.', tool_calls: [call('c1'), call('c2')] }, 'tool_calls').output,
    ).toMatchObject([
      { id: expect.stringMatching(/^rs_/), type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: null },
      { type: 'message' },
      { id: expect.stringMatching(/^fc_/), type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}', status: 'completed' },
      { call_id: 'c2' },
    ]);
  });

  test.each<{ finish: FinishReason; reason: string }>([
    { finish: 'length', reason: 'max_output_tokens' },
    { finish: 'content_filter', reason: 'content_filter' },
  ])('that ended with $finish is incomplete because of $reason', ({ finish, reason }) => {
    expect(completed({ content: 'Hel' }, finish)).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason },
      output: [{ type: 'message', status: 'incomplete' }],
    });
  });

  test('that is a refusal has it as a part of the message', () => {
    expect(completed({ refusal: 'No.' }).output).toMatchObject([{ content: [{ type: 'refusal', refusal: 'No.' }] }]);
  });

  test('with an id of a call that is too long for OpenAI has a shorter one, the same at the signature', () => {
    const id = 'x'.repeat(65);
    const tool_calls = [{ id, type: 'function', function: { name: 'f', arguments: '{}' } }];
    const reasoning_details = [{ type: 'google.thought_signature', signature: 's', tool_call_id: id }];
    const { output } = completed({ tool_calls, reasoning_details }, 'tool_calls');
    const call = (output as { call_id?: string }[])[1];
    expect(call?.call_id).toMatch(/^call_[0-9a-f]{40}$/);
    const back = front({ input: [...(output as object[]), { type: 'function_call_output', call_id: call?.call_id, output: '' }] });
    expect(back.request.messages[0]?.tool_calls).toMatchObject([{ id: call?.call_id, thought_signature: 's' }]);
  });
});

interface Event extends Record<string, unknown> {
  type: string;
  sequence_number: number;
}

const chunk = (delta: ChunkDelta, finish_reason: FinishReason | null = null, more = {}): StreamFrame => ({
  kind: 'chunk',
  chunk: { id: 'c', object: 'chat.completion.chunk', created: 0, model: 'served', choices: [{ index: 0, delta, finish_reason }], ...more },
});
const ending = (finish: FinishReason): StreamFrame[] => [
  chunk({}, finish, { brokle }),
  { kind: 'chunk', chunk: { id: 'c', object: 'chat.completion.chunk', created: 0, model: 'served', choices: [], usage } },
  { kind: 'done' },
];
const call = (index: number, args: string, first?: { id: string; name: string }): ChunkDelta => ({
  tool_calls: [
    { index, ...(first && { id: first.id, type: 'function' as const }), function: { ...(first && { name: first.name }), arguments: args } },
  ],
});

function eventsOf(frames: readonly StreamFrame[], body = {}): Event[] {
  const write = front({ stream: true, ...body }).stream();
  return createSseParser()
    .push(Buffer.from(frames.map(write).join('')))
    .map(({ event, data }) => {
      const parsed: Event = JSON.parse(data);
      expect(parsed.type).toBe(event);
      return parsed;
    });
}
const outputOf = (events: readonly Event[]) => (events.at(-1)?.response as { output: unknown } | undefined)?.output;
const typesOf = (events: readonly Event[]) => events.map(({ type }) => type.replace('response.', ''));

/** Every delta is between the beginning and the end of its item and part, places rise, and numbers have no gaps. */
function checkOrder(events: readonly Event[]): void {
  expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
  const open = new Set<string>();
  let places = 0;
  for (const { type, output_index: place, content_index, summary_index, item } of events) {
    const part = `${place}/${content_index ?? summary_index}`;
    if (type === 'response.output_item.added') {
      expect(place).toBe(places++);
      open.add(String(place));
    } else if (type === 'response.output_item.done') {
      expect(open.delete(String(place))).toBe(true);
      expect([...open].filter((one) => one.startsWith(`${place}/`))).toEqual([]);
      expect(item).not.toMatchObject({ status: 'in_progress' });
    } else if (type.endsWith('_part.added')) {
      expect(open.has(String(place))).toBe(true);
      open.add(part);
    } else if (type.endsWith('_part.done')) expect(open.delete(part)).toBe(true);
    else if (place !== undefined) expect(open.has(type.includes('arguments') ? String(place) : part)).toBe(true);
  }
  expect(open.size).toBe(0);
}

describe('a stream', () => {
  test('of text has the events of OpenAI in their order', () => {
    const events = eventsOf([
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'Hel' }),
      chunk({ content: 'lo.' }),
      ...ending('stop'),
    ]);
    checkOrder(events);
    expect(typesOf(events)).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'completed',
    ]);
    expect(events.at(-1)?.response).toMatchObject({
      status: 'completed',
      model: 'served',
      output: [{ type: 'message', content: [{ type: 'output_text', text: 'Hello.' }] }],
      usage: { input_tokens: 9, output_tokens: 12 },
      brokle,
    });
    const ids = events.flatMap(({ response }) => (response as { id?: string } | undefined)?.id ?? []);
    expect(new Set(ids).size).toBe(1);
  });

  test('with reasoning, text and mixed calls keeps each delta inside its item', () => {
    const events = eventsOf([
      chunk({ reasoning_content: 'H' }),
      chunk({ reasoning_content: 'm.' }),
      chunk({ reasoning_details: [{ type: 'thinking', text: 'Hm.', signature: 's' }] }),
      chunk({ content: 'Wait.' }),
      chunk(call(0, '{"a"', { id: 'c1', name: 'f' })),
      chunk(call(1, '', { id: 'c2', name: 'g' })),
      chunk(call(0, ':1}')),
      ...ending('tool_calls'),
    ]);
    checkOrder(events);
    const output = outputOf(events);
    expect(output).toMatchObject([
      { type: 'reasoning', summary: [{ text: 'Hm.' }], encrypted_content: expect.stringMatching(/^brk1\./) },
      { type: 'message', content: [{ text: 'Wait.' }] },
      { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{"a":1}' },
      { type: 'function_call', call_id: 'c2', name: 'g', arguments: '{}' },
    ]);
    const done = events.filter(({ type }) => type === 'response.output_item.done').map(({ item }) => item);
    expect(done).toEqual(output);
  });

  test('whose text is signed at its end is one message', () => {
    const events = eventsOf([
      chunk({ content: 'A' }),
      chunk({ content: 'b', reasoning_details: [{ type: 'google.thought_signature', signature: 's' }] }),
      ...ending('stop'),
    ]);
    checkOrder(events);
    expect(outputOf(events)).toMatchObject([
      { type: 'message', content: [{ text: 'Ab' }] },
      { type: 'reasoning', summary: [] },
    ]);
  });

  test.each<FinishReason>(['length', 'content_filter'])('that ends with %s ends with response.incomplete and its reason', (finish) => {
    const events = eventsOf([chunk({ content: 'Hel' }), ...ending(finish)]);
    checkOrder(events);
    expect(events.at(-1)).toMatchObject({
      type: 'response.incomplete',
      response: { status: 'incomplete', incomplete_details: { reason: finish === 'length' ? 'max_output_tokens' : 'content_filter' } },
    });
  });

  test('that fails ends with an error event and nothing after it', () => {
    const error = new AppError('upstream_failed', 'The provider failed.', { code: 'upstream_stream_interrupted' });
    const events = eventsOf([chunk({ content: 'Hel' }), { kind: 'failure', error }]);
    expect(events.at(-1)).toEqual({
      type: 'error',
      sequence_number: events.length - 1,
      code: 'upstream_stream_interrupted',
      message: 'The provider failed.',
      param: null,
    });
  });

  test('that refuses has the events of a refusal', () => {
    const events = eventsOf([chunk({ refusal: 'No.' }), ...ending('stop')]);
    checkOrder(events);
    expect(typesOf(events)).toEqual(expect.arrayContaining(['refusal.delta', 'refusal.done']));
  });

  test('keeps its order whatever comes in', () => {
    const deltas: ChunkDelta[] = [
      { content: 'a' },
      { reasoning_content: 'r' },
      { refusal: 'x' },
      { reasoning_details: [{ type: 'thinking', signature: 's' }] },
      { content: 'b', reasoning_details: [{ type: 't' }] },
      call(0, '{', { id: 'c1', name: 'f' }),
      call(0, '}'),
      call(1, '', { id: 'c2', name: 'f' }),
      {},
    ];
    let seed = 7;
    const next = (below: number) => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % below;
    };
    for (let run = 0; run < 200; run++) {
      const frames = Array.from({ length: next(12) }, () => chunk(deltas[next(deltas.length)] ?? {}));
      checkOrder(eventsOf([...frames, ...ending('stop')]));
    }
  });

  test('is kept alive by comments, which are no events', () => {
    expect(eventsOf([{ kind: 'keep-alive' }])).toEqual([]);
  });
});

test('the citations of a streamed text are told when they come, and stand in its part', () => {
  const citation = { url: 'https://example.org', title: 'Example', start_index: 0, end_index: 2 };
  const annotations = [{ type: 'url_citation', url_citation: citation }];
  const events = eventsOf([chunk({ content: 'Hi' }), chunk({ annotations }), ...ending('stop')]);
  checkOrder(events);
  const told = { type: 'url_citation', ...citation };
  expect(events.find(({ type }) => type === 'response.output_text.annotation.added')).toMatchObject({
    output_index: 0,
    content_index: 0,
    annotation_index: 0,
    annotation: told,
  });
  expect(outputOf(events)).toMatchObject([{ content: [{ text: 'Hi', annotations: [told] }] }]);
});
