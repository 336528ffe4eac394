import { expect, test } from '@jest/globals';
import { mendCompletion } from '../../../lib/ai/completion/rules/completion-rules.ts';
import { legacyChoices } from '../../../lib/ai/fronts/completions/chat-to-completion.ts';
import { chatToMessage } from '../../../lib/ai/fronts/messages/chat-to-message.ts';
import { messagesFront } from '../../../lib/ai/fronts/messages/messages-front.ts';
import { responseOf } from '../../../lib/ai/fronts/responses/response-output.ts';
import { responsesFront } from '../../../lib/ai/fronts/responses/responses-front.ts';
import { anthropicAnswer } from '../../../lib/ai/providers/anthropic/anthropic-answer.ts';
import { anthropicStream } from '../../../lib/ai/providers/anthropic/anthropic-stream.ts';
import type { ChatCompletion } from '../../../lib/ai/wire/chat.ts';
import { isAppError } from '../../../lib/platform/errors.ts';

const odd: unknown[] = [null, 5, true, [], [null], {}, { toString: 1 }, { length: 1e9 }];
const head = { id: 'x', created: 1, model: 'm' };
const answer = (message: object, logprobs: unknown = null): ChatCompletion =>
  mendCompletion({ ...head, object: 'chat.completion', choices: [{ index: 0, message, logprobs, finish_reason: 'stop' }] } as never, {
    head,
  });

test('every front can write an answer whose members have odd types', () => {
  for (const value of odd) {
    const call = { id: value, type: 'function', function: { name: value, arguments: value } };
    for (const message of [{ reasoning_details: value }, { content: value, refusal: value }, { tool_calls: [call] }]) {
      expect(JSON.stringify(chatToMessage(answer(message), 1))).not.toContain('[object');
    }
    const logprobs = { content: [{ token: value, logprob: value, top_logprobs: [{ token: value }] }] };
    expect(JSON.stringify(legacyChoices(answer({ content: 'x' }, logprobs), 0, ''))).not.toContain('[object');
  }
});

test('numbers in the arguments of a call keep their digits', () => {
  const digits = '{"id":12345678901234567890,"price":1.50}';
  const message = { tool_calls: [{ id: 'c1', type: 'function', function: { name: 't', arguments: digits } }] };
  expect(JSON.stringify(chatToMessage(answer(message), 1))).toContain(`"input":${digits}`);
});

test('a call of a custom tool that nobody asked for is written with its text', () => {
  const message = { tool_calls: [{ id: 'c1', type: 'custom', custom: { name: 'sql', input: 'SELECT 1' } }] };
  expect(chatToMessage(answer(message), 1).content).toEqual([
    { type: 'tool_use', id: 'c1', name: 'sql', input: { arguments: 'SELECT 1' } },
  ]);
  const response = responseOf(answer(message), { id: 'r', created_at: 1, model: 'm', asked: {} } as never);
  expect(response.output).toEqual([expect.objectContaining({ type: 'function_call', name: 'sql', arguments: 'SELECT 1' })]);
});

test('an answer of Anthropic with odd names and ids is read, whole and streamed', () => {
  for (const value of odd) {
    const block = { type: 'tool_use', id: value, name: value, input: value };
    const { completion } = anthropicAnswer({ id: value, model: value, content: [block], stop_reason: value });
    expect(JSON.stringify(completion)).not.toContain('[object');
    const stream = anthropicStream();
    for (const event of [
      { type: 'message_start', message: { id: value, model: value } },
      { type: 'content_block_start', content_block: block },
      { type: value },
    ]) {
      expect(JSON.stringify(stream.decode({ event: '', data: JSON.stringify(event) }))).not.toContain('[object');
    }
  }
});

test('requests of other APIs with odd types are translated or refused, and never break the gateway', () => {
  const refused = (translate: () => unknown) => {
    try {
      translate();
    } catch (error) {
      if (!isAppError(error)) throw error;
    }
  };
  const translation = { request_id: 'r', nowMs: 0, text: '' };
  for (const value of odd) {
    const source = { type: 'base64', media_type: value, data: value };
    const blocks = [
      { type: 'text', text: value },
      { type: 'image', source },
      { type: 'document', source, title: value },
      { type: 'tool_use', id: value, name: value, input: value },
      { type: 'tool_result', tool_use_id: value, content: [{ type: value, text: value }] },
      { type: 'thinking', thinking: value, signature: value },
    ];
    const tools = [{ name: value, type: value, input_schema: value }];
    for (const block of blocks) {
      for (const role of ['user', 'assistant']) {
        refused(() => messagesFront({ model: 'm', max_tokens: 5, messages: [{ role, content: [block] }] }, translation));
        refused(() =>
          messagesFront({ model: 'm', max_tokens: 5, messages: [{ role, content: 'x' }], system: [block], tools }, translation),
        );
      }
    }
    for (const type of ['message', 'function_call', 'function_call_output', 'reasoning', 'item_reference', value]) {
      const content = [
        { type: value, text: value, image_url: value },
        { type: 'input_text', text: value },
      ];
      const item = { type, id: value, role: 'user', content, call_id: value, name: value, arguments: value, output: value, summary: value };
      refused(() => responsesFront({ model: 'm', input: [item] }, translation));
      refused(() =>
        responsesFront(
          { model: 'm', input: 'x', tools: [{ type: value }], tool_choice: value, reasoning: value, text: value },
          translation,
        ),
      );
    }
  }
});
