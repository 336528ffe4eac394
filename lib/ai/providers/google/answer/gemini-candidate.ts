import type { ReasoningDetail } from '../../../wire/chat.ts';
import { newCallId } from '../gemini-call-ids.ts';
import { signatureDetail, signedCall } from '../gemini-signatures.ts';
import type { GeminiCandidate, GeminiPart, GeminiToken } from '../gemini-wire.ts';

/** What is known about a candidate. In a stream it holds over all events, so that calls are counted over the whole stream. */
export interface CandidateState {
  ids: Set<string>;
  content: boolean;
  finished: boolean;
}

export const newCandidateState = (): CandidateState => ({ ids: new Set(), content: false, finished: false });

export interface ReadCall {
  index: number;
  id: string;
  type: 'function';
  function: { name: string; arguments: string };
  thought_signature?: string;
  extra_content?: Record<string, unknown>;
}

/** The parts of one candidate in OpenAI's words. */
export interface ReadParts {
  text: string;
  reasoning: string;
  details: ReasoningDetail[];
  calls: ReadCall[];
  images: { type: 'image_url'; image_url: { url: string } }[];
}

export function readParts({ content }: GeminiCandidate, state: CandidateState): ReadParts {
  const read: ReadParts = { text: '', reasoning: '', details: [], calls: [], images: [] };
  for (const part of content?.parts ?? []) readPart(part, state, read);
  if (read.text !== '' || read.reasoning !== '' || read.calls.length > 0 || read.images.length > 0) state.content = true;
  return read;
}

function readPart(part: GeminiPart, state: CandidateState, read: ReadParts): void {
  const { text, thought, functionCall, inlineData } = part;
  const signature = typeof part.thoughtSignature === 'string' && part.thoughtSignature !== '' ? part.thoughtSignature : undefined;
  if (functionCall) {
    const call = readCall(functionCall, state);
    read.calls.push({ ...call, ...(signature !== undefined && signedCall(signature)) });
    if (signature !== undefined) read.details.push(signatureDetail(signature, call.id));
    return;
  }
  if (typeof text === 'string') {
    if (thought === true) read.reasoning += text;
    else read.text += text;
  }
  if (typeof inlineData?.data === 'string') {
    read.images.push({ type: 'image_url', image_url: { url: `data:${inlineData.mimeType ?? 'image/png'};base64,${inlineData.data}` } });
  }
  if (signature !== undefined) read.details.push(signatureDetail(signature));
}

/** A call comes whole. Its id is Google's if it is a new one, else the gateway's. */
function readCall({ id, name, args }: NonNullable<GeminiPart['functionCall']>, state: CandidateState): ReadCall {
  const own = typeof id === 'string' && id !== '' && !state.ids.has(id) ? id : newCallId();
  const index = state.ids.size;
  state.ids.add(own);
  return { index, id: own, type: 'function', function: { name: String(name ?? ''), arguments: JSON.stringify(args ?? {}) } };
}

/** Google's log probabilities in OpenAI's form; null if there are none. */
export function readLogprobs({ logprobsResult }: GeminiCandidate): unknown {
  const chosen = logprobsResult?.chosenCandidates;
  if (!Array.isArray(chosen)) return null;
  const tops = logprobsResult?.topCandidates;
  return {
    content: chosen.map((token, place) => ({ ...logprob(token), top_logprobs: (tops?.[place]?.candidates ?? []).map(logprob) })),
    refusal: null,
  };
}

const logprob = ({ token = '', logProbability = 0 }: GeminiToken) => ({
  token,
  logprob: logProbability,
  bytes: [...Buffer.from(token)],
});
