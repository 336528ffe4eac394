import type { Front } from '../front.ts';
import { responseHead } from './response-object.ts';
import { responseOf } from './response-output.ts';
import { readResponsesRequest } from './responses-request.ts';
import { responsesStream } from './responses-stream.ts';

/** `POST /v1/responses`: OpenAI's Responses API, without its storage, over the gateway's chat. */
export const responsesFront: Front = (body, { nowMs }) => {
  const { asked, request, warnings } = readResponsesRequest(body);
  const head = responseHead(asked, nowMs);
  return {
    request,
    warnings,
    usageAtEnd: true,
    completion: (completion) => responseOf(completion, head),
    stream: () => responsesStream(head),
  };
};
