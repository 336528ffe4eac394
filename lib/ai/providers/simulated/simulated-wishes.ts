import { isObject } from '../../wire/wire-values.ts';

/** What the simulated provider is told to do, by the model's name or by a marker in the last message. */
export interface SimulatedWishes {
  /** Milliseconds before the first byte. */
  slow?: number;
  /** Milliseconds before each further chunk. */
  pace?: number;
  /** Answers with this status and an error. */
  fail?: number;
  /** Sends an error inside the stream after so many chunks of text. */
  error?: number;
  /** Ends the stream after so many chunks of text, without a word. */
  cut?: number;
  /** Sends nothing more after so many chunks of text, and never ends. */
  stall?: number;
  /** Counts from one to this number. */
  count?: number;
  /** Calls so many tools. */
  tools?: number;
  /** Reasons before the answer. */
  reason?: true;
  /** Says exactly what the last message says. */
  echo?: true;
  /** Reports no usage. */
  silent?: true;
}

const NUMBERS = ['slow', 'pace', 'fail', 'error', 'cut', 'stall', 'count', 'tools'] as const;
const LARGEST = { slow: 600_000, pace: 60_000, fail: 599, error: 100_000, cut: 100_000, stall: 100_000, count: 100_000, tools: 16 };

/** Reads wishes such as `slow-200-cut-3` in a model's name, and `[[simulate slow=200 cut=3]]` in a message. The message wins. */
export function simulatedWishes(model: string, lastText: string): SimulatedWishes {
  const marker = /\[\[simulate ([^\]]{0,200})\]\]/.exec(lastText)?.[1] ?? '';
  return { ...wishesIn(model), ...wishesIn(marker) };
}

function wishesIn(text: string): SimulatedWishes {
  const wishes: SimulatedWishes = {};
  for (const name of NUMBERS) {
    const [found, number] = new RegExp(String.raw`(?<![a-z])${name}(?:[-=](\d{1,6}))?(?![a-z])`).exec(text) ?? [];
    if (found === undefined) continue;
    if (number !== undefined) wishes[name] = Math.min(Number(number), LARGEST[name]);
    else if (name in DEFAULTS) Object.assign(wishes, DEFAULTS[name]);
  }
  if (/(?<![a-z])reason(?![a-z])/.test(text)) wishes.reason = true;
  if (/(?<![a-z])echo(?![a-z])/.test(text)) wishes.echo = true;
  if (/(?<![a-z])(?:silent|no-usage)(?![a-z])/.test(text)) wishes.silent = true;
  return wishes;
}
/** A wish without a number. */
const DEFAULTS: Partial<Record<(typeof NUMBERS)[number], SimulatedWishes>> = {
  slow: { slow: 1_000 },
  pace: { pace: 100 },
  fail: { fail: 500 },
  error: { error: 0 },
  cut: { cut: 3 },
  stall: { stall: 3 },
  count: { count: 10 },
  tools: { tools: 1 },
};

/** The text of the last message, whatever its role. */
export function lastTextOf(messages: unknown): string {
  const last: unknown = Array.isArray(messages) ? messages.at(-1) : undefined;
  if (!isObject(last)) return '';
  if (typeof last.content === 'string') return last.content;
  if (!Array.isArray(last.content)) return '';
  return last.content.map((part) => (isObject(part) && typeof part.text === 'string' ? part.text : '')).join('');
}
