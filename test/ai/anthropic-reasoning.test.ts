import { expect, test } from '@jest/globals';
import { anthropicAdapter } from '../../lib/ai/providers/anthropic/anthropic-adapter.ts';
import type { ChatMessage, ChatRequest, ReasoningDetail } from '../../lib/ai/wire/chat.ts';
import { claude } from './anthropic-fixtures.ts';

const asked = (model: string, request: Partial<ChatRequest>) => {
  const upstream = anthropicAdapter.chat(
    { request: { model: 'm', messages: [{ role: 'user', content: 'hi' }], max_completion_tokens: 64_000, ...request }, forwarded: {} },
    claude(model),
  );
  const body = JSON.parse(upstream.body);
  return { thinking: body.thinking, effort: body.output_config?.effort, body, warnings: upstream.warnings };
};

test.each([
  ['minimal', 1_024],
  ['low', 2_048],
  ['medium', 8_192],
  ['high', 16_384],
  ['xhigh', 32_768],
])('reasoning_effort %s is a budget of %d tokens for models that take a budget', (reasoning_effort, budget_tokens) => {
  for (const model of ['claude-3-7-sonnet-20250219', 'claude-opus-4-20250514', 'claude-sonnet-4-5-20250929', 'claude-haiku-4-5'])
    expect(asked(model, { reasoning_effort })).toMatchObject({ thinking: { type: 'enabled', budget_tokens }, warnings: [] });
});

test.each([
  ['claude-opus-4-6', 'minimal', 'low'],
  ['claude-sonnet-4-6', 'xhigh', 'high'],
  ['claude-opus-4-6', 'max', 'max'],
  ['claude-opus-4-7', 'xhigh', 'xhigh'],
  ['claude-opus-5', 'medium', 'medium'],
  ['claude-sonnet-5-5', 'high', 'high'],
  ['claude-fable-5-1', 'low', 'low'],
  ['claude-something-new', 'low', 'low'],
])('%s with reasoning_effort %s thinks adaptively with the effort %s', (model, reasoning_effort, effort) => {
  expect(asked(model, { reasoning_effort })).toMatchObject({ thinking: { type: 'adaptive' }, effort, warnings: [] });
});

test('without reasoning_effort nothing is sent', () => {
  for (const model of ['claude-sonnet-4-5', 'claude-opus-5', 'claude-fable-5']) {
    expect(asked(model, {})).toMatchObject({ thinking: undefined, effort: undefined, warnings: [] });
  }
});

test.each([
  ['claude-sonnet-4-5', undefined, 0],
  ['claude-opus-4-7', undefined, 0],
  ['claude-opus-5', { type: 'disabled' }, 0],
  ['claude-sonnet-5-5', { type: 'between_tools' }, 0],
  ['claude-haiku-5-5', { type: 'disabled' }, 0],
  ['claude-opus-5-5', undefined, 1],
  ['claude-mythos-5', undefined, 1],
])("%s with reasoning_effort 'none' sends thinking %j", (model, thinking, warnings) => {
  const { thinking: sent, warnings: said } = asked(model, { reasoning_effort: 'none' });
  expect(sent).toEqual(thinking);
  expect(said).toHaveLength(warnings);
});

test.each([1_025, 1_100, 1_400, 2_000, 4_096, 10_000, 100_000])(
  'with a limit of %d tokens the budget is at least 1024 and below the limit',
  (max_tokens) => {
    const { thinking } = asked('claude-sonnet-4-5', { reasoning_effort: 'high', max_completion_tokens: max_tokens });
    expect(thinking.budget_tokens).toBeGreaterThanOrEqual(1_024);
    expect(thinking.budget_tokens).toBeLessThan(max_tokens);
  },
);

const tool = { type: 'function', function: { name: 'weather' } };
test.each<[string, Partial<ChatRequest>]>([
  ['a limit of 1024', { max_completion_tokens: 1_024 }],
  ['a small limit', { max_completion_tokens: 100 }],
  ['a temperature', { temperature: 0 }],
  ['a top_p', { top_p: 0.9 }],
  ['a top_k', { top_k: 5 }],
  ['a required tool', { tools: [tool], tool_choice: 'required' }],
  ['a named tool', { tools: [tool], tool_choice: { type: 'function', function: { name: 'weather' } } }],
])('%s wins over reasoning_effort: the request goes without thinking and says so', (_, wish) => {
  const { thinking, body, warnings } = asked('claude-sonnet-4-5', { reasoning_effort: 'medium', ...wish });
  expect(thinking).toBeUndefined();
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/without thinking/);
  if (wish.temperature !== undefined) expect(body.temperature).toBe(0);
  if (wish.top_k !== undefined) expect(body.top_k).toBe(5);
});

test('a temperature of 1 is the default, and no reason against thinking', () => {
  const { thinking, body, warnings } = asked('claude-sonnet-4-5', { reasoning_effort: 'low', temperature: 1 });
  expect(thinking).toMatchObject({ type: 'enabled' });
  expect(body).not.toHaveProperty('temperature');
  expect(warnings).toEqual([]);
});

test('a tool that a model refuses to be forced to becomes an instruction, with a warning', () => {
  const { body, warnings } = asked('claude-opus-5-5', { tools: [tool], tool_choice: 'required' });
  expect(body.tool_choice).toEqual({ type: 'auto' });
  expect(body.system).toMatch(/Call one of the tools/);
  expect(warnings).toHaveLength(1);
});

const history = (reasoning_details?: ReasoningDetail[]): ChatMessage[] => [
  { role: 'user', content: 'what is it?' },
  {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'toolu_1', type: 'function', function: { name: 'weather', arguments: '{}' } }],
    ...(reasoning_details && { reasoning_details, reasoning_content: 'I think' }),
  },
  { role: 'tool', tool_call_id: 'toolu_1', content: '42' },
];
const signed: ReasoningDetail = { type: 'thinking', text: 'I think', signature: 'sig1' };
const redacted: ReasoningDetail = { type: 'redacted_thinking', data: 'abc' };

test.each<[string, ReasoningDetail[]]>([
  ['a signed block', [signed]],
  ['a redacted block', [redacted]],
  ['two blocks', [redacted, signed]],
])('%s that came back is sent as it was, before the call of the tool', (_, details) => {
  for (const model of ['claude-sonnet-4-5', 'claude-opus-4-6', 'claude-opus-5']) {
    const { thinking, body, warnings } = asked(model, { messages: history(details), reasoning_effort: 'medium' });
    expect(thinking).toBeDefined();
    expect(warnings).toEqual([]);
    expect(body.messages[1].content).toEqual([
      ...details.map(({ type, text, signature, data }) => (data ? { type, data } : { type, thinking: text, signature })),
      { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} },
    ]);
  }
});

test.each<[string, ReasoningDetail[] | undefined]>([
  ['a client that keeps only OpenAI’s members', undefined],
  ['a history of another provider', [{ type: 'thought_signature', data: 'gemini' }]],
  ['a block without its signature', [{ type: 'thinking', text: 'I think' }]],
])('the tool turn of %s goes without thinking, with a warning', (_, details) => {
  const { thinking, body, warnings } = asked('claude-sonnet-4-5', { messages: history(details), reasoning_effort: 'medium' });
  expect(thinking).toBeUndefined();
  expect(warnings).toHaveLength(1);
  expect(body.messages[1].content).toEqual([{ type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }]);
  expect(asked('claude-opus-5', { messages: history(details), reasoning_effort: 'max' })).toMatchObject({
    thinking: { type: 'disabled' },
    effort: 'high',
  });
});

test('an older tool turn without its block is no reason against thinking in a new turn', () => {
  const messages = [...history(), { role: 'assistant', content: 'It is 42.' }, { role: 'user', content: 'sure?' }];
  expect(asked('claude-sonnet-4-5', { messages, reasoning_effort: 'medium' })).toMatchObject({
    thinking: { type: 'enabled' },
    warnings: [],
  });
});

test('signed blocks are left out of a request that does not think', () => {
  const { body } = asked('claude-sonnet-4-5', { messages: history([signed]) });
  expect(JSON.stringify(body)).not.toContain('sig1');
});

test('Anthropic’s own member `thinking` passes as the caller wrote it', () => {
  const thinking = { type: 'enabled', budget_tokens: 5_000 };
  expect(asked('claude-sonnet-4-5', { thinking, reasoning_effort: 'low' })).toMatchObject({ thinking, warnings: [] });
});
