import { redactText } from '../../platform/redaction.ts';

const LONGEST = 1_000;
/** Providers show the ends of a wrong key with stars between them: `sk-ab***********yz`. */
const STARRED = /[A-Za-z0-9_-]*\*{3,}[A-Za-z0-9_*-]*/g;
const KEY_LIKE = /\b(?:sk|gsk|xai|pk|tgp|key|csk|nvapi|fw)[-_][A-Za-z0-9_-]{8,}/g;

/** A provider's text as a caller may see it: without keys and parts of keys, not too long. */
export function safeMessage(text: string): string {
  const shown = redactText(text.slice(0, LONGEST)).replaceAll(STARRED, '[redacted]').replaceAll(KEY_LIKE, '[redacted]');
  return text.length > LONGEST ? `${shown}…` : shown;
}
