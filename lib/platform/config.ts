import * as z from 'zod';

/** An Origin header exactly as browsers send it: in another spelling it would never match. */
const Origin = z.string().refine((text) => text === '*' || isOrigin(text), {
  error: ({ input }) => `"${input}" is not an origin: write scheme://host[:port] as browsers send it, or *`,
});

function isOrigin(text: string): boolean {
  const url = /^[a-z][a-z0-9+.-]*:\/\/[^/?#@*\s]+$/.test(text) ? URL.parse(text) : null;
  return url !== null && text === `${url.protocol}//${url.host}`;
}

/** Everything a function reads from its environment, checked before the first request. */
export const Config = z.object({
  /** The first part of the name of every table and queue: `<prefix>-fleet`. */
  BROKKR_PREFIX: z
    .string()
    .regex(/^[\w-]{1,40}$/)
    .default('brokkr'),
  /** The addresses of engines other than AWS's own. */
  DYNAMODB_ENDPOINT: z.url().optional(),
  SQS_ENDPOINT: z.url().optional(),
  KMS_ENDPOINT: z.url().optional(),
  AWS_REGION: z.string().optional(),
  /** The SHA-256 (lower-case hex) of the long part of your own admin key. The public key's hash needs BROKKR_DEV. */
  BROKKR_ADMIN_PAK_HASH: z
    .string()
    .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex')
    .optional(),
  /** Signs access tokens. The one-process host makes one itself and keeps it in a file beside its data. */
  BROKKR_JWT_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  /** The sender of mails by SES. Without it no mail is sent. */
  BROKKR_MAIL_FROM: z.email().optional(),
  /** Where people reach the console, for links in mails. */
  BROKKR_PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Development mode: the publicly known admin key works. Never set it if anybody else can reach the server. */
  BROKKR_DEV: z.stringbool().default(false),
  /** Web pages of these origins may call the API, comma-separated; `*` for any. */
  BROKKR_CORS_ORIGINS: z
    .string()
    .default('http://localhost:3001')
    .transform((text) => text.split(',').map((origin) => origin.trim()))
    .transform((origins) => origins.filter((origin) => origin !== ''))
    .pipe(z.array(Origin)),
  /**
   * Development mode: providers and webhooks may be on this machine and in private networks, over plain HTTP too. Never set it if anybody
   * else may configure URLs.
   */
  ALLOW_PRIVATE_UPSTREAMS: z.stringbool().default(false),
  /** Limits how often users and addresses may call the dashboard's API. Switch it off only for tests and for trying out. */
  BROKKR_RATE_LIMITS: z.stringbool().default(true),
  /** The key in AWS KMS (id, ARN or alias) that protects stored secrets. */
  BROKKR_KMS_KEY_ID: z.string().optional(),
  /** A file of keys that protect stored secrets, one a line; the first one seals. It wins over KMS. */
  BROKKR_SEALING_KEY_FILE: z.string().optional(),
  BROKKR_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  BROKKR_AUDIT_RETENTION_DAYS: z.coerce.number().int().min(1).max(3650).default(90),
  BROKKR_EVENT_RETENTION_DAYS: z.coerce.number().int().min(1).max(3650).default(30),
});
export type Config = z.infer<typeof Config>;

/** Parses an environment, or throws naming each variable and its rule. Empty variables count as unset. */
export function parseEnvironment<S extends z.ZodType>(schema: S, environment: Readonly<Record<string, string | undefined>>): z.output<S> {
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''));
  const result = schema.safeParse(set);
  if (result.success) return result.data;
  throw new Error(`bad configuration: ${result.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ')}`);
}

export const loadConfig = (environment: Readonly<Record<string, string | undefined>> = process.env): Config =>
  parseEnvironment(Config, environment);
