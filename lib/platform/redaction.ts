/**
 * Names of members whose values never go into the log. Secrets inside texts are found by their shapes. More people read a log than may
 * know a key.
 */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  'accesskey',
  'accesstoken',
  'adminpak',
  'apikey',
  'authorization',
  'authtoken',
  'bearertoken',
  'clientsecret',
  'cookie',
  'credential',
  'credentials',
  'currentpassword',
  'encryptionkey',
  'idtoken',
  'initialpak',
  'jwt',
  'masterkey',
  'newpassword',
  'oldpassword',
  'pak',
  'passphrase',
  'passwd',
  'password',
  'privatekey',
  'proxyauthorization',
  'refreshtoken',
  'secret',
  'secretaccesskey',
  'secretkey',
  'sessiontoken',
  'setcookie',
  'signingsecret',
  'token',
  'webhooksecret',
  'xamzsecuritytoken',
  'xapikey',
  'xgoogapikey',
]);
const isSecretName = (name: string) => SECRET_NAMES.has(name.replaceAll(/[-_.\s]/g, '').toLowerCase());

/** The names of fields are few and come again with every line. Strangers' names must not fill the memory. */
const KNOWN_NAMES = 1_000;
const knownNames = new Map<string, { shown: string; secret: boolean }>();
function lookAt(name: string): { shown: string; secret: boolean } {
  const known = knownNames.get(name);
  if (known) return known;
  const seen = { shown: redactText(name), secret: isSecretName(name) };
  if (knownNames.size < KNOWN_NAMES && name.length < 64) knownNames.set(name, seen);
  return seen;
}

/**
 * A shape may begin behind any character but a letter or a digit, and behind an escape that ends in one: `\n` and `\u0022` in JSON,
 * `%20` in an address, a terminal's colours.
 */
const START = String.raw`(?:(?<![A-Za-z0-9])|(?<=\\[bfnrt]|\\u[0-9a-fA-F]{4}|%[0-9a-fA-F]{2}|\u001b\[[\d;]{0,9}m))`;
const shape = (source: string, flags = 'g') => new RegExp(START + source, flags);

/**
 * The first group of each shape stays in the log, to show the kind of secret. No shape reads a character more than a few times: behind
 * its first part it matches all that follows, or ends soon.
 */
const SHAPES: readonly RegExp[] = [
  // Our own: pre-authentication keys with their short part, project keys, refresh tokens, signing secrets of webhooks.
  shape('(brokkr_[1-9A-HJ-NP-Za-km-z]{1,16}_)[1-9A-HJ-NP-Za-km-z]{8,}'),
  shape('(bk_|rt_|whsec_)[A-Za-z0-9_+/=-]{12,}'),
  // Others': model providers, GitHub, GitLab, Slack, Stripe, Google, AWS.
  shape('(sk-(?:ant-|proj-|or-|svcacct-)?)[A-Za-z0-9_-]{12,}'),
  shape(
    String.raw`(gh[opsur]_|github_pat_|glpat-|xox[abprs]-|(?:sk|rk|pk)_(?:live|test)_|AIza|ya29\.|gsk_|hf_|A(?:KIA|SIA))[A-Za-z0-9_-]{12,}`,
  ),
  // A JWT, or a part of one: base64url whose first characters are those of every JSON object.
  shape(String.raw`(eyJ)[A-Za-z0-9_-]{14,}(?:\.[A-Za-z0-9_-]*)*`),
  shape(String.raw`((?:Bearer|Basic)(?:\s|\+|%20)+)[^\s"',;]{6,}`, 'gi'),
  // The password in an address; the key in a query.
  /(:\/\/[^\s/:@"']*:)[^\s/@"']+(?=@)/g,
  /([?&](?:access_token|api_?key|key|password|secret|sig|signature|token|X-Amz-Signature|X-Amz-Security-Token)=)[^\s&"'#]+/gi,
  /(-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----)[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g,
];
/** A text that doesn't match this matches no shape, so that most texts cost one pass. */
const HINT =
  /brokkr_|bk_|rt_|whsec_|sk[-_]|gh[opsur]_|github_pat_|glpat-|xox|[rp]k_|AIza|ya29|gsk_|hf_|A[KS]IA|eyJ|bearer|basic|:\/\/|[?&]|PRIVATE KEY/i;

/** A text in the log is cut to this length, since a stranger may send long ones. */
const LONGEST_TEXT = 16 * 1024;

/** Returns the beginning of a text, with its secrets masked. */
export function redactText(whole: string): string {
  const text = whole.slice(0, LONGEST_TEXT);
  const shown = HINT.test(text) ? SHAPES.reduce((masked, secret) => masked.replace(secret, '$1[redacted]'), text) : text;
  return text.length < whole.length ? `${shown}… (${whole.length} characters)` : shown;
}

/** Texts that JSON writes as they are. */
const PLAIN = /^[ !#-[\]-~]*$/;
const quoted = (text: string) => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));

/** The JSON of an object that goes into the log. A line is written for each request, so plain values are not copied first. */
export function redactedJson(fields: Readonly<Record<string, unknown>>, withTraces: boolean): string {
  let text = '';
  for (const name in fields) {
    const value = fields[name];
    const { shown, secret } = lookAt(name);
    const json = secret && value != null ? '"[redacted]"' : valueJson(value, withTraces);
    if (json !== undefined) text += `${text === '' ? '' : ','}${quoted(shown)}:${json}`;
  }
  return `{${text}}`;
}

function valueJson(value: unknown, withTraces: boolean): string | undefined {
  if (typeof value === 'string') return quoted(redactText(value));
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  return JSON.stringify(redact(value, withTraces, 1));
}

const MAX_DEPTH = 6;
const MAX_ITEMS = 50;

/** These point to a mistake in the code, which cannot be found without the stack trace. */
const MISTAKES = [TypeError, ReferenceError, RangeError];

/** Returns a copy of a value that may be logged: plain JSON of bounded depth. With `withTraces` all errors keep their stack traces. */
export function redact(value: unknown, withTraces: boolean, depth = 0): unknown {
  const inner = (item: unknown) => redact(item, withTraces, depth + 1);
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return describeError(value, withTraces, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof URL) return redactText(value.href);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value) || value instanceof Set) return [...value].slice(0, MAX_ITEMS).map(inner);
  const copy: Record<string, unknown> = {};
  for (const [name, item] of value instanceof Map ? value : Object.entries(value)) {
    const { shown, secret } = lookAt(String(name));
    // This one name would set the copy's prototype.
    if (shown === '__proto__') continue;
    copy[shown] = secret && item != null ? '[redacted]' : inner(item);
  }
  return copy;
}

function describeError(error: Error, withTraces: boolean, depth: number): Record<string, unknown> {
  const hasTrace = withTraces || MISTAKES.some((kind) => error instanceof kind);
  return {
    name: redactText(error.name),
    ...('code' in error && { code: redact(error.code, withTraces, depth + 1) }),
    message: redactText(error.message),
    ...(hasTrace && error.stack !== undefined && { stack: redactText(error.stack) }),
    ...(error.cause !== undefined && depth < 4 && { cause: redact(error.cause, withTraces, depth + 1) }),
  };
}
