import { estimatePromptTokens } from '../../pricing/token-estimate.ts';
import type { Front } from '../front.ts';
import { chatToMessage } from './chat-to-message.ts';
import { checkMessagesRequest } from './messages-request.ts';
import { messagesStream } from './messages-stream.ts';
import { messagesToChat } from './messages-to-chat.ts';

/**
 * `POST /v1/messages`: Anthropic's form, translated to the pipeline's own and back. An Anthropic upstream gets the caller's text unchanged
 * but for the model, and its answer goes out as it came; it is metered all the same.
 */
export const messagesFront: Front = (body, { text }) => {
  const messages = checkMessagesRequest(body);
  const promptTokens = Math.max(1, estimatePromptTokens(messages));
  return {
    request: messagesToChat(messages),
    native: { dialect: 'anthropic', text },
    usageAtEnd: true,
    completion: (completion) => chatToMessage(completion, promptTokens),
    stream: () => messagesStream(promptTokens),
  };
};
