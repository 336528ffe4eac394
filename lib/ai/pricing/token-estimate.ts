/**
 * The gateway's estimate of tokens, for reservations and for answers without usage. It is made to be above the true count for text: four
 * ASCII characters, or three bytes of other text, are one token at the most in prose of any language that the tokenizers of the large
 * providers know. Text of digits, hexadecimal or base64 has up to twice as many tokens as this says. The true count replaces the estimate when
 * the call is settled.
 */
export function estimateTokens(text: string): number {
  const bytes = Buffer.byteLength(text);
  if (bytes === text.length) return Math.ceil(text.length / 4);
  let ascii = 0;
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) < 0x80) ascii++;
  return Math.ceil(ascii / 4 + (bytes - ascii) / 3);
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
export function estimatePromptTokens(request: Readonly<Record<string, unknown>>): number {
  return READ_BY_THE_MODEL.reduce((sum, name) => sum + tokensIn(request[name]), 0);
}

function tokensIn(value: unknown): number {
  if (typeof value === 'string') return estimateTokens(value);
  // A prompt may be given as the ids of its tokens; elsewhere a number is a few characters of a schema.
  if (typeof value === 'number') return 1;
  if (Array.isArray(value)) return value.reduce((sum: number, one) => sum + tokensIn(one), 0);
  if (typeof value !== 'object' || value === null) return value === null || value === undefined ? 0 : 1;
  const type: unknown = 'type' in value ? value.type : undefined;
  if (typeof type === 'string' && MEDIA.has(type)) return PER_MEDIUM;
  let sum = 'role' in value ? PER_MESSAGE : 0;
  for (const [name, member] of Object.entries(value)) sum += Math.ceil(name.length / 4) + tokensIn(member);
  return sum;
}
