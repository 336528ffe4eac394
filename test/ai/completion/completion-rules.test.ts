import { expect, test } from '@jest/globals';
import { mendCompletion } from '../../../lib/ai/completion/rules/completion-rules.ts';
import { openaiCompletion } from '../../../lib/ai/providers/openai/openai-completion.ts';

const HEAD = { id: 'chatcmpl-ours', created: 7, model: 'ours' };
function mended(body: Record<string, unknown>, stops: string[] = []) {
  let ids = 0;
  return mendCompletion(openaiCompletion(body).completion, { head: HEAD, stops, callId: () => `call_made${ids++}` });
}
const MESSAGE = { role: 'assistant', content: 'a', refusal: null };
const CHOICE = { index: 0, message: MESSAGE, logprobs: null, finish_reason: 'stop' };
const completion = (choice: Record<string, unknown>, members: Record<string, unknown> = {}) => ({
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [choice],
  ...members,
});
const message = (members: Record<string, unknown>, finish: unknown = 'stop') =>
  mended(completion({ ...CHOICE, message: { ...MESSAGE, ...members }, finish_reason: finish })).choices[0];
const call = (members: Record<string, unknown>) => ({ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' }, ...members });

test('an answer that needs no change is the provider’s own', () => {
  const body = completion({ ...CHOICE, message: { ...MESSAGE, content: null, tool_calls: [call({})] }, finish_reason: 'tool_calls' });
  expect(mended(body)).toBe(body);
});

test('what clients rely on is there if the provider left it out', () => {
  expect(mended({ choices: [{ message: { content: 'a' } }, { message: {} }] })).toEqual({
    ...HEAD,
    object: 'chat.completion',
    choices: [
      { index: 0, message: MESSAGE, logprobs: null, finish_reason: 'stop' },
      { index: 1, message: { ...MESSAGE, content: null }, logprobs: null, finish_reason: 'stop' },
    ],
  });
});

test.each([
  ['eos', 'stop'],
  ['model_length', 'length'],
  ['', 'stop'],
  [null, 'stop'],
  ['content_filter', 'content_filter'],
])('the finish %j becomes %j', (theirs, ours) => {
  expect(message({}, theirs)?.finish_reason).toBe(ours);
});

test.each<[what: string, given: unknown[], calls: unknown[]]>([
  ['no id', [call({ id: undefined })], [call({ id: 'call_made0' })]],
  ['an empty id', [call({ id: '' })], [call({ id: 'call_made0' })]],
  ['the same id twice', [call({}), call({})], [call({}), call({ id: 'call_made0' })]],
  ['no arguments', [call({ function: { name: 'f' } })], [call({})]],
  ['empty arguments', [call({ function: { name: 'f', arguments: '' } })], [call({})]],
  [
    'arguments as an object',
    [call({ function: { name: 'f', arguments: { p: 1 } } })],
    [call({ function: { name: 'f', arguments: '{"p":1}' } })],
  ],
  ['no type', [call({ type: undefined })], [call({})]],
  ['a signature', [call({ thought_signature: 's' })], [call({ thought_signature: 's' })]],
  [
    'text for a tool of another type',
    [{ id: 'a', type: 'custom', custom: { name: 'c', input: 'x' } }],
    [{ id: 'a', type: 'custom', custom: { name: 'c', input: 'x' } }],
  ],
  ['nothing among them', [null, call({})], [call({})]],
])('tool calls with %s become sound calls', (_what, given, calls) => {
  const choice = message({ content: '', tool_calls: given });
  expect(choice?.message.tool_calls).toEqual(calls);
  expect(choice).toMatchObject({ message: { content: null }, finish_reason: 'tool_calls' });
});

test.each([[[]], [null]])('tool calls that are %j are no calls', (tool_calls) => {
  expect(message({ tool_calls })).toEqual(CHOICE);
});

test('our own stop sequence cuts the text before it', () => {
  const choice = mended(completion({ ...CHOICE, message: { ...MESSAGE, content: 'a\nb' }, finish_reason: 'length' }), ['\n', 'b'])
    .choices[0];
  expect(choice).toMatchObject({ message: { content: 'a' }, finish_reason: 'stop' });
});

test.each<[what: string, body: unknown]>([
  ['a text', '<html>'],
  ['an array', []],
  ['no choices', { id: 'c1' }],
  ['empty choices', { choices: [] }],
  ['a choice that is no object', { choices: [null] }],
  ['a choice without message', { choices: [{ index: 0, text: 'a' }] }],
])('an answer that is %s is unusable', (_what, body) => {
  expect(() => openaiCompletion(body)).toThrow(expect.objectContaining({ name: 'UnusableAnswer' }));
});
