import type { ReportedUsage } from './usage.ts';

/** What a provider counted, under one set of names. Parts that it didn't name are 0. */
export interface Counts {
  /** The input side as the provider counts it. Undefined if it gave no number that can be true. */
  prompt: number | undefined;
  completion: number | undefined;
  cached: number;
  write_5m: number;
  write_1h: number;
  /** The cached tokens are not part of `prompt`. */
  cache_beside: boolean;
  reasoning: number;
  /** The reasoning tokens are not part of `completion`. */
  reasoning_beside: boolean;
  image_in: number;
  audio_in: number;
  video_in: number;
  image_out: number;
  audio_out: number;
  web_searches: number;
  audio_seconds: number;
  /** Some number can't be true. */
  anomaly: boolean;
}

/** No model reads or writes so much in one call. */
const ABSURD_TOKENS = 100_000_000;

type Fields = Readonly<Record<string, unknown>>;

/** Undefined if the provider counted nothing at all. */
export function readCounts({ dialect, fields }: ReportedUsage): Counts | undefined {
  const reader = createReader(fields);
  const counts = dialect === 'openai' ? openAiCounts(reader) : dialect === 'anthropic' ? anthropicCounts(reader) : geminiCounts(reader);
  const silent = counts.prompt === undefined && counts.completion === undefined && counts.audio_seconds === 0 && !reader.anomaly();
  if (silent) return undefined;
  // What is counted in seconds has no tokens.
  const { prompt = counts.audio_seconds > 0 ? 0 : undefined, completion = counts.audio_seconds > 0 ? 0 : undefined } = counts;
  return { ...counts, prompt, completion, anomaly: reader.anomaly() };
}

type Reader = ReturnType<typeof createReader>;
type Read = Omit<Counts, 'anomaly'>;

function createReader(fields: Fields) {
  let anomaly = false;
  const look = (path: readonly string[]): unknown =>
    path.reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), fields);
  const count = (path: readonly string[]): number | undefined => {
    const given = look(path);
    if (given === undefined) return undefined;
    // Some servers write numbers as texts.
    const value = typeof given === 'string' && /^\d{1,9}$/.test(given) ? Number(given) : given;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= ABSURD_TOKENS) return value;
    // A null says that a detail is unknown. In place of a whole it is a number that is missing.
    if (value !== null || path.length === 1) anomaly = true;
    return undefined;
  };
  return {
    look,
    anomaly: () => anomaly,
    note: () => {
      anomaly = true;
    },
    /** The first of several names that has a number. */
    whole: (...names: readonly string[]): number | undefined => {
      for (const name of names) if (look([name]) !== undefined) return count([name]);
      return undefined;
    },
    part: (...path: readonly string[]): number => count(path) ?? 0,
    seconds: (name: string): number => {
      const value = look([name]);
      if (value === undefined || value === null) return 0;
      if (typeof value === 'number' && Number.isFinite(value) && value >= 0 && value <= ABSURD_TOKENS) return value;
      anomaly = true;
      return 0;
    },
  };
}

const isObject = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);

/** OpenAI's chat and responses, and the servers that speak like them. */
function openAiCounts(reader: Reader): Read {
  const inputs = isObject(reader.look(['input_tokens_details'])) ? 'input_tokens_details' : 'prompt_tokens_details';
  const outputs = isObject(reader.look(['output_tokens_details'])) ? 'output_tokens_details' : 'completion_tokens_details';
  const prompt = reader.whole('prompt_tokens', 'input_tokens');
  const total = reader.whole('total_tokens');
  const counted = reader.whole('completion_tokens', 'output_tokens');
  const completion = counted ?? (prompt !== undefined && total !== undefined && total >= prompt ? total - prompt : undefined);
  const cached = reader.part(inputs, 'cached_tokens') || reader.part('prompt_cache_hit_tokens');
  const write_5m = reader.part(inputs, 'cache_write_tokens') || reader.part(inputs, 'cache_creation_tokens');
  const reasoning = reader.part(outputs, 'reasoning_tokens');
  const beside =
    counted === undefined ? INSIDE : placeOfParts({ prompt: prompt ?? 0, completion: counted, total, cache: cached + write_5m, reasoning });
  return {
    prompt,
    completion,
    cached,
    write_5m,
    write_1h: 0,
    cache_beside: beside.cache,
    reasoning,
    reasoning_beside: beside.reasoning,
    image_in: reader.part(inputs, 'image_tokens'),
    audio_in: reader.part(inputs, 'audio_tokens'),
    video_in: reader.part(inputs, 'video_tokens'),
    image_out: reader.part(outputs, 'image_tokens'),
    audio_out: reader.part(outputs, 'audio_tokens'),
    web_searches: reader.part('server_tool_use', 'web_search_requests') || reader.part('num_search_queries'),
    audio_seconds: reader.seconds('seconds') || reader.seconds('prompt_audio_seconds'),
  };
}

interface Parts {
  prompt: number;
  completion: number;
  total: number | undefined;
  cache: number;
  reasoning: number;
}
const INSIDE = { cache: false, reasoning: false };
const PLACES = [INSIDE, { cache: false, reasoning: true }, { cache: true, reasoning: false }, { cache: true, reasoning: true }];

/** Whether cache and reasoning are parts of their side or beside it: the total says it; without one, a part larger than its whole is beside. */
function placeOfParts({ prompt, completion, total, cache, reasoning }: Parts): { cache: boolean; reasoning: boolean } {
  const adding = PLACES.find((place) => prompt + completion + (place.cache ? cache : 0) + (place.reasoning ? reasoning : 0) === total);
  const fits = adding !== undefined && (adding.cache || cache <= prompt) && (adding.reasoning || reasoning <= completion);
  return fits ? adding : { cache: cache > prompt, reasoning: reasoning > completion };
}

/** Anthropic counts everything beside: input, cache reads, cache writes, output. */
function anthropicCounts(reader: Reader): Read {
  const written = reader.part('cache_creation_input_tokens');
  const write_1h = reader.part('cache_creation', 'ephemeral_1h_input_tokens');
  const named_5m = reader.part('cache_creation', 'ephemeral_5m_input_tokens');
  const completion = reader.whole('output_tokens');
  const reasoning = Math.min(reader.part('output_tokens_details', 'thinking_tokens'), completion ?? 0);
  return {
    prompt: reader.whole('input_tokens'),
    completion,
    cached: reader.part('cache_read_input_tokens'),
    // What the split leaves out is a write for five minutes. A split larger than the total is right: it is the finer count.
    write_5m: Math.max(named_5m, written - write_1h),
    write_1h,
    cache_beside: true,
    reasoning,
    reasoning_beside: false,
    ...NO_MODALITIES,
    web_searches: reader.part('server_tool_use', 'web_search_requests'),
    audio_seconds: 0,
  };
}

const NO_MODALITIES = { image_in: 0, audio_in: 0, video_in: 0, image_out: 0, audio_out: 0 };

/** Gemini: the prompt includes the cache, thoughts are beside the candidates, and the prompts of tools are beside the prompt. */
function geminiCounts(reader: Reader): Read {
  const tools = reader.part('toolUsePromptTokenCount');
  const prompt = reader.whole('promptTokenCount');
  const candidates = reader.whole('candidatesTokenCount');
  const total = reader.whole('totalTokenCount');
  const reasoning = reader.part('thoughtsTokenCount');
  const inside =
    total !== undefined &&
    prompt !== undefined &&
    candidates !== undefined &&
    reasoning <= candidates &&
    prompt + tools + candidates === total;
  const whole = prompt === undefined ? undefined : prompt + tools;
  const left = total !== undefined && whole !== undefined && total >= whole + reasoning ? total - whole - reasoning : undefined;
  const cached = reader.part('cachedContentTokenCount');
  const fresh = (kind: string) =>
    Math.max(
      0,
      modality(reader, 'promptTokensDetails', kind) +
        modality(reader, 'toolUsePromptTokensDetails', kind) -
        modality(reader, 'cacheTokensDetails', kind),
    );
  return {
    prompt: whole,
    // An answer without candidates, such as a blocked one, has no count of them.
    completion: candidates ?? left ?? (prompt === undefined ? undefined : 0),
    cached: Math.min(cached, whole ?? cached),
    write_5m: 0,
    write_1h: 0,
    cache_beside: false,
    reasoning,
    reasoning_beside: !inside,
    image_in: fresh('IMAGE'),
    audio_in: fresh('AUDIO'),
    video_in: fresh('VIDEO'),
    image_out: modality(reader, 'candidatesTokensDetails', 'IMAGE'),
    audio_out: modality(reader, 'candidatesTokensDetails', 'AUDIO'),
    web_searches: 0,
    audio_seconds: 0,
  };
}

function modality(reader: Reader, list: string, kind: string): number {
  const entries = reader.look([list]);
  if (!Array.isArray(entries)) return 0;
  return entries.reduce((sum: number, entry: unknown) => {
    if (!isObject(entry) || entry.modality !== kind || entry.tokenCount === undefined) return sum;
    const { tokenCount } = entry;
    if (typeof tokenCount === 'number' && Number.isSafeInteger(tokenCount) && tokenCount >= 0 && tokenCount <= ABSURD_TOKENS)
      return sum + tokenCount;
    reader.note();
    return sum;
  }, 0);
}
