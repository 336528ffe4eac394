/**
 * The gateway's estimate of tokens, for planning and for answers without usage: four ASCII characters, or three bytes of other text, are one
 * token in prose of the languages that the tokenizers of the large providers know. Digits and base64 have several times as many tokens.
 */
export function estimateTokens(text: string): number {
  const bytes = Buffer.byteLength(text);
  if (bytes === text.length) return Math.ceil(text.length / 4);
  let ascii = 0;
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) < 0x80) ascii++;
  return Math.ceil(ascii / 4 + (bytes - ascii) / 3);
}

/** Prose has a space after fewer characters. What is longer is a key, base64, an address, or code without spaces. */
const DENSE_RUN = 24;
const [ZERO, NINE, SPACE, DELETE] = [48, 57, 32, 127];

/**
 * The most tokens that a text has, for reservations: each digit, and each character of a long run without spaces, may be a token of its own, and
 * so may be one and a half bytes of other scripts. The true count replaces this when the call is settled. Costs some nanoseconds a character.
 */
export function mostTokens(text: string): number {
  let dense = 0;
  let ascii = 0;
  let run = 0;
  let digits = 0;
  for (let index = 0; index <= text.length; index++) {
    const code = index < text.length ? text.charCodeAt(index) : SPACE;
    if (code < 0x80) ascii++;
    if (code > SPACE && code < DELETE) {
      run++;
      if (code >= ZERO && code <= NINE) digits++;
    } else {
      dense += run >= DENSE_RUN ? run : digits;
      run = 0;
      digits = 0;
    }
  }
  const others = Buffer.byteLength(text) - (ascii - 1);
  return Math.ceil(dense + (ascii - 1 - dense) / 4 + others / 1.5);
}

/** What providers add around each message. */
const PER_MESSAGE = 4;
/** An image, a page or a clip whose size the request doesn't tell: more than providers count for a large image. */
const PER_MEDIUM = 2_000;
const MEDIA: ReadonlySet<string> = new Set([
  'image_url',
  'input_image',
  'image',
  'input_audio',
  'file',
  'input_file',
  'document',
  'video_url',
]);
/** Members whose text the model reads. All others are settings. */
const READ_BY_THE_MODEL = ['messages', 'system', 'instructions', 'input', 'prompt', 'tools', 'functions', 'response_format', 'text'];

/** The tokens of a request's prompt, in any of the forms that clients send: chat, completions, embeddings, responses, messages. */
export const estimatePromptTokens = (request: Readonly<Record<string, unknown>>): number => promptTokens(request, estimateTokens);
/** The most tokens that the prompt has. */
export const mostPromptTokens = (request: Readonly<Record<string, unknown>>): number => promptTokens(request, mostTokens);

const promptTokens = (request: Readonly<Record<string, unknown>>, tokensOf: (text: string) => number): number =>
  READ_BY_THE_MODEL.reduce((sum, name) => sum + tokensIn(request[name], tokensOf), 0);

function tokensIn(value: unknown, tokensOf: (text: string) => number): number {
  if (typeof value === 'string') return tokensOf(value);
  // A prompt may be given as the ids of its tokens; elsewhere a number is a few characters of a schema.
  if (typeof value === 'number') return 1;
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + tokensIn(one, tokensOf), 0);
  if (typeof value !== 'object' || value === null) return value === null || value === undefined ? 0 : 1;
  const type: unknown = 'type' in value ? value.type : undefined;
  if (typeof type === 'string' && MEDIA.has(type)) return PER_MEDIUM;
  let sum = 'role' in value ? PER_MESSAGE : 0;
  for (const [name, member] of Object.entries(value)) sum += Math.ceil(name.length / 4) + tokensIn(member, tokensOf);
  return sum;
}
