import { redactText } from '../../platform/redaction.ts';
import type { UpstreamFailure } from './adapter.ts';

const LONGEST = 1_000;
/** Providers show the ends of a wrong key with stars between them: `sk-ab***********yz`. */
const STARRED = /[A-Za-z0-9_-]*\*{3,}[A-Za-z0-9_*-]*/g;
const KEY_LIKE = /\b(?:sk|gsk|xai|pk|tgp|key|csk|nvapi|fw)[-_][A-Za-z0-9_-]{8,}/g;

/** A provider's text as a caller may see it: without keys and parts of keys, not too long. */
export function safeMessage(text: string): string {
  const shown = redactText(text.slice(0, LONGEST)).replaceAll(STARRED, '[redacted]').replaceAll(KEY_LIKE, '[redacted]');
  return text.length > LONGEST ? `${shown}…` : shown;
}

/** A shorter key could be a word of any message. */
const SHORTEST_KEY = 8;
const LONGEST_NAME = 200;

/** A failure as a caller, the log and the records may see it: whatever the provider repeats of its key, and wherever it puts it. */
export function withoutKey(failure: UpstreamFailure, key: string): UpstreamFailure {
  const hide = (text: string) => (key.length < SHORTEST_KEY ? text : text.replaceAll(key, '[redacted]'));
  const name = (text: string | null) => text && safeMessage(hide(text)).slice(0, LONGEST_NAME);
  return { ...failure, message: hide(failure.message), code: name(failure.code), param: name(failure.param) };
}
