/** The operations that clients of OpenAI and Anthropic ask for, without their version. */
const OPERATIONS = /^\/(chat\/completions|completions|embeddings|responses|messages(\/count_tokens)?|models(\/.*)?)$/;

/** Whether this path belongs to a client of the inference API, so that a refusal has to have the shapes of that API. */
export const isInferencePath = (path: string): boolean => path.startsWith('/v1/') || OPERATIONS.test(path);

/** What is wrong with a path that nothing has, for a person who has just set a base URL. */
export function unknownUrlMessage(method: string, path: string): string {
  const plain = path.replace(/\/+$/, '');
  const hint = hintFor(plain);
  return `Unknown request URL: ${method} ${path}.${hint}`;
}

function hintFor(path: string): string {
  const doubled = /^\/v1(\/v1)+(\/.*)$/.exec(path);
  if (doubled?.[2] !== undefined && OPERATIONS.test(doubled[2])) {
    return ' The path contains /v1 more than once. The client adds it itself: take /v1 off the end of its base URL.';
  }
  if (OPERATIONS.test(path)) return ' The path lacks /v1. Set the base URL to this server’s address followed by /v1.';
  if (/^\/api(\/v1)?\/./.test(path) && OPERATIONS.test(path.replace(/^\/api(\/v1)?/, ''))) {
    return ' Inference is at /v1, not below /api. Set the base URL to this server’s address followed by /v1.';
  }
  return '';
}
