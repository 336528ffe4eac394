import { expect, test } from '@jest/globals';
import { mendCompletion } from '../../../lib/ai/completion/completion-rules.ts';
import { legacyChoices } from '../../../lib/ai/fronts/completions/chat-to-completion.ts';
import { chatToMessage } from '../../../lib/ai/fronts/messages/chat-to-message.ts';
import { anthropicAnswer } from '../../../lib/ai/providers/anthropic/anthropic-answer.ts';
import { anthropicStream } from '../../../lib/ai/providers/anthropic/anthropic-stream.ts';
import type { ChatCompletion } from '../../../lib/ai/wire/chat.ts';

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
