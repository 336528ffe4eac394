import type { ChatMessage, ReasoningDetail, ToolCall } from '../../wire/chat.ts';
import { isObject } from '../../wire/wire-values.ts';

/**
 * Google signs thoughts, and wants the signatures back where they were: at a function call or at the answer's text. They travel in three
 * places, because clients keep different members: `thought_signature` of a tool call, `extra_content.google.thought_signature` of it (Google's
 * own OpenAI-compatible form, which the AI SDK keeps), and `reasoning_details`.
 */
const DETAIL = 'google.thought_signature';

/** Google documents this value for histories whose signatures are lost, or that come from another model. */
export const SKIP_VALIDATION = 'skip_thought_signature_validator';

export const signatureDetail = (signature: string, callId?: string): ReasoningDetail => ({
  type: DETAIL,
  signature,
  ...(callId !== undefined && { tool_call_id: callId }),
});

/** The members of a tool call that hold its signature. */
export const signedCall = (signature: string): Pick<ToolCall, 'thought_signature' | 'extra_content'> => ({
  thought_signature: signature,
  extra_content: { google: { thought_signature: signature } },
});

/** The signature that belongs to a tool call of the history. */
export function signatureOf(call: ToolCall, message: ChatMessage): string | undefined {
  const google = call.extra_content?.google;
  const inContent = isObject(google) ? google.thought_signature : undefined;
  const inDetails = details(message).find(({ tool_call_id }) => tool_call_id === call.id)?.signature;
  return [call.thought_signature, inContent, inDetails].find((value) => typeof value === 'string' && value !== '') as string | undefined;
}

/** The signature that belongs to the text of a message. */
export const messageSignature = (message: ChatMessage): string | undefined =>
  details(message).findLast(({ tool_call_id }) => tool_call_id === undefined)?.signature;

const details = ({ reasoning_details }: ChatMessage): ReasoningDetail[] =>
  Array.isArray(reasoning_details) ? reasoning_details.filter((detail) => isObject(detail) && detail.type === DETAIL) : [];
