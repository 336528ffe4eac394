import { type Counts, readCounts } from './reported-counts.ts';
import { NO_USAGE, type ReportedUsage, type Usage } from './usage.ts';

/** The gateway's own numbers, for what a provider doesn't say. */
export interface UsageEstimate {
  prompt_tokens: number;
  completion_tokens: number;
}

export interface NormalUsageOptions {
  /** The answer ended early, so the provider's numbers of the output may be those of its beginning. */
  incomplete?: boolean;
}

/**
 * The usage of a call in the one normal form. What the provider said wins; a number that it left out, or that can't be true, is the
 * estimate, and the usage says so.
 */
export function normalUsage(
  reported: ReportedUsage | undefined,
  estimate: UsageEstimate,
  { incomplete = false }: NormalUsageOptions = {},
): Usage {
  const counts = reported ? readCounts(reported) : undefined;
  if (counts === undefined) return estimatedUsage(estimate, false);
  const prompt = promptClasses(counts);
  const promptKnown = prompt !== undefined && (sumOf(prompt) > 0 || estimate.prompt_tokens === 0 || counts.audio_seconds > 0);
  const output = outputClasses(counts);
  const tooFew = incomplete && (output === undefined || sumOf(output) < estimate.completion_tokens);
  const input = promptKnown ? prompt : { ...NO_INPUT, input: estimate.prompt_tokens };
  const answer = output === undefined || tooFew ? { ...NO_OUTPUT, output: estimate.completion_tokens } : output;
  return {
    ...input,
    ...answer,
    prompt_tokens: sumOf(input),
    completion_tokens: sumOf(answer),
    web_searches: counts.web_searches,
    audio_seconds: counts.audio_seconds,
    estimated: !promptKnown || output === undefined || tooFew || counts.anomaly,
    anomaly: counts.anomaly || (prompt !== undefined && !promptKnown),
  };
}

const estimatedUsage = ({ prompt_tokens, completion_tokens }: UsageEstimate, anomaly: boolean): Usage => ({
  ...NO_USAGE,
  input: prompt_tokens,
  output: completion_tokens,
  prompt_tokens,
  completion_tokens,
  estimated: true,
  anomaly,
});

const NO_INPUT = { input: 0, cached_input: 0, cache_write_5m: 0, cache_write_1h: 0, image_input: 0, audio_input: 0, video_input: 0 };
const NO_OUTPUT = { output: 0, reasoning: 0, image_output: 0, audio_output: 0 };

const sumOf = (classes: Readonly<Record<string, number>>): number => Object.values(classes).reduce((sum, count) => sum + count, 0);

/** The input side, each token in one class. Undefined if the provider didn't say how long the prompt was. */
function promptClasses(counts: Counts): typeof NO_INPUT | undefined {
  const { prompt, cached, write_5m, write_1h, cache_beside } = counts;
  if (prompt === undefined) return undefined;
  const cache = cached + write_5m + write_1h;
  // With the cache inside, its parts are taken from the whole: text first, then the other kinds, as far as they are not cached text.
  const fresh = cache_beside ? prompt : Math.max(0, prompt - cache);
  const [image_input, audio_input, video_input] = fitted([counts.image_in, counts.audio_in, counts.video_in], fresh);
  return {
    input: fresh - image_input - audio_input - video_input,
    cached_input: cached,
    cache_write_5m: write_5m,
    cache_write_1h: write_1h,
    image_input,
    audio_input,
    video_input,
  };
}

function outputClasses(counts: Counts): typeof NO_OUTPUT | undefined {
  const { completion, reasoning, reasoning_beside } = counts;
  if (completion === undefined) return undefined;
  const answer = reasoning_beside ? completion : Math.max(0, completion - reasoning);
  const [image_output, audio_output] = fitted([counts.image_out, counts.audio_out, 0], answer);
  return { output: answer - image_output - audio_output, reasoning, image_output, audio_output };
}

/** The parts of a whole, cut where together they are larger than it. */
function fitted(parts: readonly [number, number, number], whole: number): [number, number, number] {
  const first = Math.min(parts[0], whole);
  const second = Math.min(parts[1], whole - first);
  return [first, second, Math.min(parts[2], whole - first - second)];
}
