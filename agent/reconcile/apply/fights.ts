/** An object that somebody changes back whenever it was corrected. */
interface Fight {
  /** When it was corrected, as far as that counts. */
  correctedMs: number[];
  /** How long corrections wait; 0 while it is no fight. */
  waitMs: number;
  /** Not corrected again before. */
  notBeforeMs: number;
}

/** By the object's key. Lost with the process: then the corrections are counted anew. */
export type Fights = Map<string, Fight>;

const CORRECTIONS = 3;
const WITHIN_MS = 600_000;
const WAIT_MS = { first: 600_000, longest: 3_600_000 };

export const isSlowedDown = (fights: Fights, key: string, nowMs: number): boolean => (fights.get(key)?.notBeforeMs ?? nowMs) > nowMs;

/**
 * Counts a correction. Three of them within ten minutes are a fight: the next one comes after ten minutes, and each further one after twice the
 * time, up to an hour. It is over when the object stayed as it is for ten minutes after it might have been corrected. Answers whether it is one.
 */
export function noteCorrection(fights: Fights, key: string, nowMs: number): boolean {
  const before = fights.get(key);
  const goesOn = before !== undefined && before.waitMs > 0 && nowMs - before.notBeforeMs < WITHIN_MS;
  const correctedMs = [...(before?.correctedMs ?? []).filter((atMs) => nowMs - atMs < WITHIN_MS), nowMs];
  const isFight = goesOn || correctedMs.length >= CORRECTIONS;
  const waitMs = goesOn ? Math.min(2 * before.waitMs, WAIT_MS.longest) : isFight ? WAIT_MS.first : 0;
  fights.set(key, { correctedMs, waitMs, notBeforeMs: nowMs + waitMs });
  return isFight;
}
