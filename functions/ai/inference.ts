import { chatFront } from '../../lib/ai/fronts/chat-front.ts';
import { completionsFront } from '../../lib/ai/fronts/completions/completions-front.ts';
import { embeddingsFront } from '../../lib/ai/fronts/embeddings-front.ts';
import { answerFront } from '../../lib/ai/fronts/front.ts';
import { responsesFront } from '../../lib/ai/fronts/responses/responses-front.ts';
import { checkChatRequest } from '../../lib/ai/wire/chat-request.ts';
import { checkEmbeddingsRequest } from '../../lib/ai/wire/embeddings-request.ts';
import { asksModel, incomingCall, inferenceEndpoint, inferenceFunction, withoutOptions, withScope } from './inference-endpoint.ts';
import { messageEndpoints } from './messages.ts';

export const inferenceEndpoints = [
  inferenceEndpoint({
    ...asksModel,
    id: 'create_chat_completion',
    method: 'POST',
    path: '/v1/chat/completions',
    summary: 'Answer a chat, as OpenAI does',
    description:
      "Takes every field of OpenAI's request and passes on what it doesn't know. The member `brokle` holds the gateway's own options.",
    access: withScope('write:completions', 'write:routing'),
    async handle(context, { body }) {
      const { value, text, brokle } = withoutOptions(body);
      return chatFront(context.services.ports, { ...incomingCall(context, 'chat', brokle), request: checkChatRequest(value), text });
    },
  }),
  inferenceEndpoint({
    ...asksModel,
    id: 'create_completion',
    method: 'POST',
    path: '/v1/completions',
    summary: 'Complete prompts, as OpenAI does (legacy)',
    description:
      'A provider that has this operation gets the request as it is. For all others each prompt is asked as a chat, which takes prompts as text only.',
    access: withScope('write:completions', 'write:routing'),
    async handle(context, { body }) {
      const { value, text, brokle } = withoutOptions(body);
      return completionsFront(context.services.ports, { value, text }, incomingCall(context, 'completions', brokle));
    },
  }),
  inferenceEndpoint({
    ...asksModel,
    id: 'create_embedding',
    method: 'POST',
    path: '/v1/embeddings',
    summary: 'Embed texts, as OpenAI does',
    access: withScope('write:embeddings', 'write:routing'),
    async handle(context, { body }) {
      const { value, text, brokle } = withoutOptions(body);
      return embeddingsFront(context.services.ports, {
        ...incomingCall(context, 'embeddings', brokle),
        request: checkEmbeddingsRequest(value),
        text,
      });
    },
  }),
  inferenceEndpoint({
    ...asksModel,
    id: 'create_response',
    method: 'POST',
    path: '/v1/responses',
    summary: "Answer a request of OpenAI's Responses API",
    description: 'Any provider answers it, streamed or not. The gateway stores no responses: send all items in `input`.',
    access: withScope('write:completions', 'write:routing'),
    async handle(context, { body }) {
      const { brokle, ...sent } = withoutOptions(body);
      return answerFront(responsesFront, context.services.ports, sent, incomingCall(context, 'responses', brokle));
    },
  }),
  ...messageEndpoints,
];
export const handler = inferenceFunction(inferenceEndpoints);
