import { absent, isObject } from '../../wire/wire-values.ts';

/**
 * What the adapter reads and writes of Google's `generateContent` (v1beta). Every member may be absent, and servers in between write null
 * for it. Source: Google's public API reference and its generated SDK types.
 */
export interface GeminiPart {
  text?: string;
  /** The text is a summary of the model's reasoning. */
  thought?: boolean;
  /** Has to come back with the part in the next turn. */
  thoughtSignature?: string;
  functionCall?: { id?: string; name?: string; args?: unknown };
  functionResponse?: { id?: string; name: string; response: unknown; parts?: GeminiPart[] };
  inlineData?: { mimeType?: string; data?: string };
  fileData?: { mimeType?: string; fileUri: string };
}

export interface GeminiContent {
  role?: 'user' | 'model';
  parts?: GeminiPart[];
}

export interface GeminiCandidate {
  index?: number;
  content?: GeminiContent | null;
  finishReason?: string;
  finishMessage?: string;
  logprobsResult?: { chosenCandidates?: GeminiToken[]; topCandidates?: { candidates?: GeminiToken[] }[] };
}

export interface GeminiToken {
  token?: string;
  logProbability?: number;
}

export interface GeminiAnswer {
  candidates?: GeminiCandidate[] | null;
  promptFeedback?: { blockReason?: string | null } | null;
  usageMetadata?: Record<string, unknown> | null;
  modelVersion?: string;
  responseId?: string;
}

/**
 * The one place where JSON becomes a typed answer. Only the shape of lists and objects is checked, in one pass and without copies; single
 * values are checked where they are used.
 */
export function geminiAnswer(body: unknown): GeminiAnswer | undefined {
  if (!isObject(body)) return undefined;
  const { candidates, promptFeedback, usageMetadata } = body;
  if (!absent(candidates) && !(Array.isArray(candidates) && candidates.every(isCandidate))) return undefined;
  if (!absent(promptFeedback) && !isObject(promptFeedback)) return undefined;
  if (!absent(usageMetadata) && !isObject(usageMetadata)) return undefined;
  return body as GeminiAnswer;
}

function isCandidate(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { content } = value;
  if (absent(content)) return true;
  return isObject(content) && (absent(content.parts) || (Array.isArray(content.parts) && content.parts.every(isObject)));
}
