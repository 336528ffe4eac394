import * as z from 'zod';
import { ClusterError, UNSERVED } from '../cluster.ts';
import { isObject } from '../json-object.ts';
import { withoutQuotedValues } from '../value-free-text.ts';

/** The API server's words about a call that failed. */
const Status = z.looseObject({
  kind: z.literal('Status'),
  message: z.string().catch(''),
  reason: z.string().catch('Unknown'),
  details: z
    .looseObject({
      name: z.string().optional(),
      retryAfterSeconds: z.number().optional(),
      causes: z.array(z.looseObject({ field: z.string().default(''), message: z.string().default('') })).optional(),
    })
    .optional()
    .catch(undefined),
});

const MESSAGE_CHARACTERS_MAX = 4000;
const CAUSES_MAX = 10;

export interface FailedAnswer {
  status: number;
  body: string;
  retryAfter?: string | undefined;
  nowMs: number;
}

/** The port's error for an answer of 400 and above. Says what the server said, but never repeats the values it was sent. */
export function clusterErrorOf({ status, body, retryAfter, nowMs }: FailedAnswer): ClusterError {
  const said = parseStatus(body);
  const retryAfterMs = waitMs(retryAfter, nowMs) ?? (said?.details?.retryAfterSeconds ?? 0) * 1000;
  const shared = retryAfterMs > 0 ? { retryAfterMs } : {};
  if (!said)
    return new ClusterError(`the API server answered ${status}: ${excerpt(body)}`, {
      status,
      reason: status === 404 ? UNSERVED : 'Unknown',
      ...shared,
    });
  const message = messageOf(said, status).slice(0, MESSAGE_CHARACTERS_MAX);
  // Server-side apply reports an object that does not fit its schema (an unknown field, a wrong type, a duplicate key) as a
  // 500 without a reason: for the caller it is as invalid as one that validation refuses, and no retry helps.
  if (status === 500 && said.message.startsWith('failed to create typed patch object'))
    return new ClusterError(message, { status: 422, reason: 'Invalid' });
  // The server doesn't serve this kind, or something in between answered in its place: that is not "the object does not exist".
  const isAboutThePath = status === 404 && said.details?.name === undefined;
  return new ClusterError(message, { status, reason: isAboutThePath ? UNSERVED : said.reason, ...shared });
}

/** What an API server says before it comes to the point. */
const PREFACE = /^failed to create typed patch object \([^()]*\): (?:errors:\s*)?/;

/** All fields that are wrong, or the message without its preface. */
function messageOf({ message, details }: z.infer<typeof Status>, status: number): string {
  const causes = (details?.causes ?? []).filter(({ field, message: reason }) => field !== '' && reason !== '');
  if (status !== 422 || causes.length === 0)
    return withoutQuotedValues(message || `the API server answered ${status}`).replace(PREFACE, '');
  const told = [...new Set(causes.map(({ field, message: reason }) => `${field}: ${withoutQuotedValues(reason)}`))];
  return [...told.slice(0, CAUSES_MAX), ...(told.length > CAUSES_MAX ? [`and ${told.length - CAUSES_MAX} more`] : [])].join('; ');
}

function parseStatus(body: string): z.infer<typeof Status> | undefined {
  try {
    return Status.safeParse(JSON.parse(body)).data;
  } catch {
    return undefined;
  }
}

const excerpt = (body: string): string => body.trim().replace(/\s+/g, ' ').slice(0, 200) || 'an empty body';

/** Retry-After is a number of seconds or a date. */
function waitMs(retryAfter: string | undefined, nowMs: number): number | undefined {
  if (retryAfter === undefined) return undefined;
  const waited = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1000 : Date.parse(retryAfter) - nowMs;
  return Number.isFinite(waited) ? Math.max(0, waited) : undefined;
}

/** No answer came, or none that could be read. */
export function noAnswer(what: string, error: unknown): ClusterError {
  const reason = codeOf(error) ?? 'NoAnswer';
  const message = isObject(error) && typeof error.message === 'string' ? error.message : String(error);
  return new ClusterError(`${what}: ${message || reason}`, { status: 0, reason, cause: error });
}

function codeOf(error: unknown): string | undefined {
  if (!isObject(error)) return undefined;
  if (typeof error.code === 'string') return error.code;
  // If every address of a name refused, the reason is in the errors of the addresses.
  return codeOf(Array.isArray(error.errors) ? error.errors[0] : error.cause);
}
