/**
 * Keeps credentials out of the log: by the exact names that carry them, and by their shapes inside texts. A log line is read by more
 * people than a key is for.
 */
const SECRET_NAMES: ReadonlySet<string> = new Set([
  'accesskey',
  'accesstoken',
  'adminpak',
  'apikey',
  'authorization',
  'clientsecret',
  'cookie',
  'credential',
  'credentials',
  'idtoken',
  'initialpak',
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

/** Each shape begins with a part that may be shown: it says what kind of secret stood there. */
const SHAPES: readonly RegExp[] = [
  // Our own: pre-authentication keys with their short part, project keys, refresh tokens, signing secrets of webhooks.
  /\b(brokkr_[1-9A-HJ-NP-Za-km-z]{1,16}_)[1-9A-HJ-NP-Za-km-z]{8,}/g,
  /\b(bk_|rt_|whsec_)[A-Za-z0-9_+/=-]{12,}/g,
  // Others': model providers, GitHub, GitLab, Slack, Stripe, Google, AWS.
  /\b(sk-(?:ant-|proj-|or-|svcacct-)?)[A-Za-z0-9_-]{12,}/g,
  /\b(gh[opsur]_|github_pat_|glpat-|xox[abprs]-|(?:sk|rk|pk)_(?:live|test)_|AIza|gsk_|hf_|A(?:KIA|SIA))[A-Za-z0-9_-]{12,}/g,
  // A JWT: three parts in base64url, of which the first begins as every JSON object does.
  /\b(eyJ)[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{2,}\.[A-Za-z0-9_-]*/g,
  /\b((?:Bearer|Basic)\s+)[^\s"',;]{6,}/gi,
  // The password in an address; the key in a query.
  /(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@"']*:)[^\s/@"']+(?=@)/gi,
  /([?&](?:access_token|api_?key|key|password|secret|sig|signature|token|X-Amz-Signature|X-Amz-Security-Token)=)[^\s&"'#]+/gi,
  /(-----BEGIN [A-Z ]*PRIVATE KEY-----)[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
];
/** Texts without any of these hold no shape: most texts cost one pass. */
const HINT =
  /brokkr_|bk_|rt_|whsec_|sk[-_]|gh[opsur]_|github_pat_|glpat-|xox|[rp]k_|AIza|gsk_|hf_|A[KS]IA|eyJ|bearer|basic|:\/\/|[?&]|PRIVATE KEY/i;

export const redactText = (text: string): string =>
  HINT.test(text) ? SHAPES.reduce((shown, shape) => shown.replace(shape, '$1[redacted]'), text) : text;

const MAX_DEPTH = 6;
const MAX_ITEMS = 50;

/** A copy of a value as it may be logged: plain JSON of bounded depth. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Error) return describeError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (value instanceof URL) return redactText(value.href);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value) || value instanceof Set) return [...value].slice(0, MAX_ITEMS).map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    [...(value instanceof Map ? value : Object.entries(value))].map(([name, item]) => [
      redactText(String(name)),
      isSecretName(String(name)) && item != null ? '[redacted]' : redact(item, depth + 1),
    ]),
  );
}

function describeError(error: Error, depth: number): Record<string, unknown> {
  return {
    name: error.name,
    ...('code' in error && { code: redact(error.code, depth + 1) }),
    message: redactText(error.message),
    ...(error.stack !== undefined && { stack: redactText(error.stack) }),
    ...(error.cause !== undefined && depth < 4 && { cause: redact(error.cause, depth + 1) }),
  };
}
