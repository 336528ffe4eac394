import { expect, test } from '@jest/globals';
import { newCallId } from '../../../lib/ai/completion/rules/tool-deltas.ts';
import { assembled, DONE, delta, ROLE, streamed } from './streamed.ts';

type Call = Record<string, unknown>;
const tools = (...calls: Call[]) => delta({ tool_calls: calls });
const call = (members: Call, name: string | undefined, args: unknown): Call => ({
  ...members,
  function: { ...(name !== undefined && { name }), ...(args !== undefined && { arguments: args }) },
});
const A = '{"p":"a"}';
const B = '{"p":"b"}';
const two = (first: string, second: string, names = ['read', 'read']) => [
  { id: first, type: 'function', name: names[0], arguments: A },
  { id: second, type: 'function', name: names[1], arguments: B },
];

test.each<[what: string, reads: string[], calls: unknown]>([
  [
    'both on index 0',
    [
      tools(call({ index: 0, id: 'call_a', type: 'function' }, 'read', A)),
      tools(call({ index: 0, id: 'call_b', type: 'function' }, 'read', B)),
    ],
    two('call_a', 'call_b'),
  ],
  ['no index', [tools(call({ id: 'call_a' }, 'read', A)), tools(call({ id: 'call_b' }, 'read', B))], two('call_a', 'call_b')],
  [
    'indexes 0 and 2',
    [tools(call({ index: 0, id: 'call_a' }, 'read', A)), tools(call({ index: 2, id: 'call_b' }, 'read', B))],
    two('call_a', 'call_b'),
  ],
  [
    'indexes that begin at 1',
    [tools(call({ index: 1, id: 'call_a' }, 'read', A)), tools(call({ index: 2, id: 'call_b' }, 'read', B))],
    two('call_a', 'call_b'),
  ],
  [
    'an empty id on the second',
    [tools(call({ index: 0, id: 'call_a' }, 'read', A)), tools(call({ index: 0, id: '' }, 'read', B))],
    two('call_a', 'call_made0'),
  ],
  [
    'id and name in each delta',
    [
      tools(call({ index: 0, id: 'call_a' }, 'read', '{"p":')),
      tools(call({ index: 0, id: 'call_a' }, 'read', '"a"}')),
      tools(call({ index: 0, id: 'call_b' }, 'read', '{"p":')),
      tools(call({ index: 0, id: 'call_b' }, 'read', '"b"}')),
    ],
    two('call_a', 'call_b'),
  ],
  [
    'arguments as objects',
    [tools(call({ index: 0, id: 'call_a' }, 'read', { p: 'a' })), tools(call({ index: 0, id: 'call_b' }, 'read', { p: 'b' }))],
    two('call_a', 'call_b'),
  ],
  [
    'both in one delta',
    [tools(call({ index: 0, id: 'call_a' }, 'read', A), call({ index: 0, id: 'call_b' }, 'read', B))],
    two('call_a', 'call_b'),
  ],
  [
    'both in one delta without index',
    [tools(call({ id: 'call_a' }, 'read', A), call({ id: 'call_b' }, 'read', B))],
    two('call_a', 'call_b'),
  ],
  ['no ids', [tools(call({ index: 0 }, 'read', A)), tools(call({ index: 0 }, 'read', B))], two('call_made0', 'call_made1')],
  ['no ids and no indexes', [tools(call({}, 'read', A)), tools(call({}, 'read', B))], two('call_made0', 'call_made1')],
  ['no ids, both in one delta', [tools(call({}, 'read', A), call({}, 'read', B))], two('call_made0', 'call_made1')],
  [
    'no ids and arguments in pieces',
    [
      tools(call({ index: 0 }, 'read', '{"p":')),
      tools(call({ index: 0 }, 'read', '"a"}')),
      tools(call({ index: 0 }, 'write', '')),
      tools(call({ index: 0 }, undefined, B)),
    ],
    two('call_made0', 'call_made1', ['read', 'write']),
  ],
  [
    'pieces that alternate',
    [
      tools(call({ index: 0, id: 'call_a', type: 'function' }, 'read', '{"p"')),
      tools(call({ index: 1, id: 'call_b', type: 'function' }, 'read', '{"p"')),
      tools(call({ index: 0 }, undefined, ':"a"}')),
      tools(call({ index: 1 }, undefined, ':"b"}')),
    ],
    two('call_a', 'call_b'),
  ],
  [
    'pieces by id alone',
    [
      tools(call({ id: 'call_a' }, 'read', '')),
      tools(call({ id: 'call_b' }, 'read', '')),
      tools(call({ id: 'call_a' }, undefined, A)),
      tools(call({ id: 'call_b' }, undefined, B)),
    ],
    two('call_a', 'call_b'),
  ],
  [
    'null for what is absent',
    [
      tools({ index: 0, id: 'call_a', type: null, function: { name: 'read', arguments: null } }),
      tools({ index: 0, id: null, type: null, function: { name: null, arguments: A } }),
    ],
    two('call_a', '').slice(0, 1),
  ],
])('parallel calls with %s become two calls with indexes of their own', (_what, reads, calls) => {
  const { chunks } = streamed([ROLE, ...reads, delta({}, 'tool_calls'), DONE]);
  expect(assembled(chunks)).toEqual({ content: '', calls, finish: ['tool_calls'] });
});

test('calls without arguments get {}, because clients parse the arguments of every call', () => {
  const { chunks } = streamed([
    tools(call({ index: 0, id: 'a', type: 'function' }, 'now', '')),
    tools(call({ index: 0, id: 'b' }, 'here', undefined)),
    tools({ index: 1, id: 'c', type: 'function', function: { name: 'read', arguments: A } }),
    delta({}, 'stop'),
    DONE,
  ]);
  expect(assembled(chunks).calls.map((one) => one.arguments)).toEqual(['{}', '{}', A]);
  expect(assembled(chunks).finish).toEqual(['tool_calls']);
});

test('calls that need no change go out in the provider’s own characters', () => {
  const reads = [
    tools({ index: 0, id: 'call_a', type: 'function', function: { name: 'read', arguments: '' } }),
    tools({ index: 0, function: { arguments: '{"p":' } }),
    tools({ index: 0, function: { arguments: '"a"}' } }),
    tools({ index: 1, id: 'call_b', type: 'function', function: { name: 'read', arguments: B } }),
  ];
  expect(streamed([delta({ role: 'assistant', content: null }), ...reads]).writes.join('')).toBe(
    [delta({ role: 'assistant', content: null }), ...reads].join(''),
  );
});

test('signatures stay with their call, and tools that take text are no functions', () => {
  const { chunks } = streamed([
    tools({ index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: {} }, thought_signature: 'sig' }),
    tools({ index: 0, id: 'b', type: 'custom', custom: { name: 'c', input: '' } }),
    delta({}, 'tool_calls'),
    DONE,
  ]);
  const deltas = chunks.flatMap(({ choices }) => choices[0]?.delta.tool_calls ?? []);
  expect(deltas).toEqual([
    { index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{}' }, thought_signature: 'sig' },
    { index: 1, id: 'b', type: 'custom', custom: { name: 'c', input: '' } },
  ]);
});

test('pieces of a call that nobody has seen begin are left out', () => {
  const { chunks } = streamed([
    delta({ content: 'a' }),
    tools(call({ index: 3 }, undefined, '}')),
    delta({ tool_calls: [null, 4] }),
    delta({}, 'stop'),
    DONE,
  ]);
  expect(assembled(chunks)).toEqual({ content: 'a', calls: [], finish: ['stop'] });
});

test('ids that the gateway makes have the form of OpenAI’s and are never the same', () => {
  const ids = Array.from({ length: 1_000 }, newCallId);
  expect(new Set(ids).size).toBe(1_000);
  for (const id of ids) expect(id).toMatch(/^call_[A-Za-z0-9_-]{24}$/);
});
