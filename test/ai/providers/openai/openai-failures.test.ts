import { expect, test } from '@jest/globals';
import type { UpstreamFailure } from '../../../../lib/ai/providers/adapter.ts';
import { openaiFailure, openaiFailureIn, refusesStreamUsage } from '../../../../lib/ai/providers/openai/openai-failures.ts';
import { retryAfterMs } from '../../../../lib/ai/providers/retry-after.ts';

const error = (members: Record<string, unknown>) => ({ error: members });

test.each<[what: string, status: number, body: unknown, blame: UpstreamFailure['blame'], code: string | null]>([
  ['a wrong parameter', 400, error({ message: 'bad', type: 'invalid_request_error', param: 'n', code: null }), 'caller', null],
  [
    'too long a prompt',
    400,
    error({ message: "This model's maximum context length is 8192 tokens." }),
    'caller',
    'context_length_exceeded',
  ],
  [
    'vLLM’s older form',
    400,
    { object: 'error', message: 'maximum context length', type: 'BadRequestError', code: 400 },
    'caller',
    'context_length_exceeded',
  ],
  ['a content filter', 400, error({ message: 'filtered', code: 'content_filter' }), 'caller', 'content_filter'],
  ['a wrong key', 401, error({ message: 'Incorrect API key', code: 'invalid_api_key' }), 'credentials', 'invalid_api_key'],
  ['a key without rights', 403, error({ message: 'no access' }), 'credentials', null],
  ['a moderated prompt', 403, error({ message: 'flagged', code: 403, metadata: { reasons: ['violence'] } }), 'caller', null],
  ['no credit', 402, error({ message: 'Insufficient credits' }), 'exhausted_account', null],
  [
    'no quota',
    429,
    error({ message: 'You exceeded your current quota', code: 'insufficient_quota' }),
    'exhausted_account',
    'insufficient_quota',
  ],
  [
    'a billing limit',
    400,
    error({ message: 'limit', code: 'billing_hard_limit_reached' }),
    'exhausted_account',
    'billing_hard_limit_reached',
  ],
  ['too many requests', 429, error({ message: 'slow down', code: 'rate_limit_exceeded' }), 'rate_limited', 'rate_limit_exceeded'],
  ['an unknown model', 404, error({ message: 'The model `x` does not exist', code: 'model_not_found' }), 'caller', 'model_not_found'],
  ['Ollama’s unknown model', 404, error({ message: 'model "x" not found, try pulling it first' }), 'caller', null],
  ['a wrong address', 404, '<html>not found</html>', 'missing_endpoint', null],
  ['FastAPI’s unknown path', 404, { detail: 'Not Found' }, 'missing_endpoint', null],
  ['a wrong method', 405, {}, 'missing_endpoint', null],
  ['a time-out at the provider', 408, {}, 'provider', null],
  ['validation', 422, { detail: [{ loc: ['body', 'n'], msg: 'too big' }] }, 'caller', null],
  ['a crash', 500, error({ message: 'oops' }), 'provider', null],
  ['HTML of a proxy', 502, '<html>', 'provider', null],
  ['overload', 529, '', 'provider', null],
])('%s (%i) is blamed on the right one', (_what, status, body, blame, code) => {
  expect(openaiFailure(status, {}, body)).toMatchObject({ status, blame, code });
});

test.each<[body: unknown, message: string]>([
  [error({ message: 'plain' }), 'plain'],
  [{ error: 'a text' }, 'a text'],
  [[{ error: { message: 'in an array' } }], 'in an array'],
  [{ message: 'outside' }, 'outside'],
  [{ detail: 'a detail' }, 'a detail'],
  [
    { object: 'error', message: { detail: [{ loc: ['body', 'stream_options'], msg: 'Extra inputs are not permitted' }] } },
    'body.stream_options: Extra inputs are not permitted',
  ],
  ['<html>', 'The provider answered with status 400 and no readable error.'],
  [null, 'The provider answered with status 400 and no readable error.'],
])('the message of %j is %j', (body, message) => {
  expect(openaiFailure(400, {}, body).message).toBe(message);
});

test.each([
  'Incorrect API key provided: sk-proj-AbCd1234efgh5678ijkl. You can find your key at https://platform.openai.com.',
  'Incorrect API key provided: sk-ab***************wxyz.',
  'Incorrect API key provided: AbCd************wxyz.',
  'Invalid key xai-AbCd1234efgh5678wxyz',
  'bad header Authorization: Bearer AbCd1234wxyz',
])('no part of a key is shown: %s', (message) => {
  expect(openaiFailure(400, {}, error({ message })).message).not.toMatch(/AbCd|wxyz|sk-ab/);
});

test.each<[what: string, body: unknown, failure: Partial<UpstreamFailure> | undefined]>([
  ['an error alone', error({ message: 'worker full' }), { status: 502, blame: 'provider', message: 'worker full' }],
  ['an error as a text', { error: 'worker full' }, { status: 502, message: 'worker full' }],
  [
    'an error beside no choices',
    { id: 'c1', choices: [], error: { code: 502, message: 'worker full' } },
    { status: 502, blame: 'provider' },
  ],
  [
    'an error beside a choice',
    { choices: [{ index: 0, delta: { content: '' }, finish_reason: 'error' }], error: { code: 503, message: 'm' } },
    { status: 503, blame: 'provider' },
  ],
  ['a choice that ended with an error', { choices: [{ index: 0, delta: {}, finish_reason: 'error' }] }, { status: 502, blame: 'provider' }],
  ['a rate limit', error({ code: 429, message: 'slow' }), { status: 429, blame: 'rate_limited' }],
  ['a rate limit by its type', error({ type: 'rate_limit_error', message: 'slow' }), { status: 429, blame: 'rate_limited' }],
  ['a status as a text', error({ code: '503', message: 'm' }), { status: 503 }],
  ['no error', { choices: [{ index: 0, message: {}, finish_reason: 'stop' }], error: null }, undefined],
  ['a type that is a name of JavaScript', error({ type: 'constructor', message: 'm' }), { status: 502 }],
  ['no object', 'text', undefined],
])('an answer with status 200 and %s is a failure or not', (_what, body, failure) => {
  const found = openaiFailureIn(body);
  if (failure) expect(found).toMatchObject(failure);
  else expect(found).toBeUndefined();
});

test.each<[status: number, body: unknown, refused: boolean]>([
  [400, error({ message: 'extra fields not permitted: stream_options' }), true],
  [422, { detail: [{ type: 'extra_forbidden', loc: ['body', 'stream_options'], msg: 'Extra inputs are not permitted' }] }, true],
  [400, error({ message: 'Unknown parameter', param: 'stream_options' }), true],
  [400, error({ message: 'n is too big' }), false],
  [500, error({ message: 'stream_options' }), false],
])('a refusal with %i and %j is one of the injected stream options: %s', (status, body, refused) => {
  expect(refusesStreamUsage(openaiFailure(status, {}, body))).toBe(refused);
});

test.each<[headers: Record<string, string>, ms: number | undefined]>([
  [{}, undefined],
  [{ 'retry-after': '2' }, 2_000],
  [{ 'retry-after': '0' }, 0],
  [{ 'retry-after': '1.5' }, 1_500],
  [{ 'retry-after-ms': '120', 'retry-after': '1' }, 120],
  [{ 'retry-after': 'Thu, 01 Jan 2026 00:10:00 GMT', date: 'Thu, 01 Jan 2026 00:09:30 GMT' }, 30_000],
  [{ 'retry-after': 'Thu, 01 Jan 2026 00:10:00 GMT', date: 'Thu, 01 Jan 2026 00:11:00 GMT' }, 0],
  [{ 'retry-after': 'Thu, 01 Jan 2026 00:10:00 GMT' }, undefined],
  [{ 'retry-after': 'soon' }, undefined],
  [{ 'retry-after': '-5' }, undefined],
  [{ 'retry-after': '86401' }, undefined],
])('the headers %j ask for %s ms', (headers, ms) => {
  expect(retryAfterMs(headers)).toBe(ms);
});
