export interface StopCutter {
  /** The stop sequence has come: nothing more is let through. */
  readonly stopped: boolean;
  /** Returns the text that can't be the beginning of a stop sequence any more. */
  push(text: string): string;
  /** The text ended without a stop sequence. Returns what was held back. */
  end(): string;
}

/** Cuts a text before the first of these sequences, also if it comes in pieces. For sequences that a provider refuses to keep itself. */
export function createStopCutter(stops: readonly string[]): StopCutter {
  let held = '';
  let stopped = false;
  return {
    get stopped() {
      return stopped;
    },
    push(text) {
      if (stopped) return '';
      const whole = held + text;
      const cut = firstOf(stops, whole);
      if (cut >= 0) {
        stopped = true;
        held = '';
        return whole.slice(0, cut);
      }
      const from = whole.length - longestBeginning(stops, whole);
      held = whole.slice(from);
      return whole.slice(0, from);
    },
    end() {
      const rest = held;
      held = '';
      return rest;
    },
  };
}

/** The text before the first of these sequences, or undefined if none is in it. */
export function cutAtStop(stops: readonly string[], text: string): string | undefined {
  const cut = firstOf(stops, text);
  return cut < 0 ? undefined : text.slice(0, cut);
}

function firstOf(stops: readonly string[], text: string): number {
  let first = -1;
  for (const stop of stops) {
    const at = stop === '' ? -1 : text.indexOf(stop);
    if (at >= 0 && (first < 0 || at < first)) first = at;
  }
  return first;
}

/** The length of the longest end of the text that is the beginning of a sequence. */
function longestBeginning(stops: readonly string[], text: string): number {
  let longest = 0;
  for (const stop of stops) {
    for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
      if (text.endsWith(stop.slice(0, length))) longest = length;
    }
  }
  return longest;
}
