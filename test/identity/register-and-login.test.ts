import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { data, makeAccount, PASSWORD, refusal, uniqueEmail } from './account-builder.ts';

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost();
});
afterAll(() => host.stop());

const registration = (given: object = {}) => ({ email: uniqueEmail(), name: 'Ada', password: PASSWORD, ...given });

describe('POST /api/v1/auth/register', () => {
  test('a registration answers 201 with a token pair, the user and an organization that he owns', async () => {
    const email = uniqueEmail('ada');
    const answer = await host.anonymous.post(
      '/auth/register',
      registration({ email: ` ${email.toUpperCase()} `, organization_name: 'Acme' }),
    );
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      success: true,
      data: {
        user: { id: expect.stringMatching(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/), email, name: 'Ada' },
        token: expect.stringMatching(/^eyJ/),
        access_token: answer.body.data.token,
        refresh_token: expect.stringMatching(/^rt_[A-Za-z0-9]{43}$/),
        expires_in: 3600,
        token_type: 'Bearer',
        organization: { id: expect.any(String), name: 'Acme', role: 'owner' },
      },
      error: null,
      meta: { timestamp: expect.stringMatching(/Z$/), request_id: expect.stringMatching(/^req_/), version: 'v1' },
    });
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(answer.headers['x-request-id']).toBe(answer.body.meta.request_id);
  });

  test('a registration without an organization’s name makes one that is named after the user', async () => {
    const { organization } = data(await host.anonymous.post('/auth/signup', registration()));
    expect(organization.name).toBe("Ada's Organization");
  });

  test('two registrations with one address at the same time make one user', async () => {
    const email = uniqueEmail();
    const answers = await Promise.all([1, 2, 3].map(() => host.anonymous.post('/auth/register', registration({ email }))));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    expect(answers.filter(({ status }) => status === 409).map(refusal)).toEqual(
      [1, 2].map(() => ({ status: 409, type: 'CONFLICT', code: 'EMAIL_ALREADY_EXISTS' })),
    );
  });

  test.each([
    [{ email: 'nobody' }, 'INVALID_FORMAT', 'email'],
    [{ email: undefined }, 'REQUIRED_FIELD_MISSING', 'email'],
    [{ name: ' ' }, 'VALUE_OUT_OF_RANGE', 'name'],
    [{ name: 'x'.repeat(201) }, 'VALUE_OUT_OF_RANGE', 'name'],
    [{ name: 'Ada\u202Eevil' }, 'INVALID_INPUT', 'name'],
    [{ name: 'Ada\u2028Byron' }, 'INVALID_INPUT', 'name'],
    [{ name: '\u200B\u2060' }, 'INVALID_INPUT', 'name'],
    [{ password: 'short77' }, 'VALUE_OUT_OF_RANGE', 'password'],
    [{ password: 'x'.repeat(129) }, 'VALUE_OUT_OF_RANGE', 'password'],
    [{ organization_name: 'x' }, 'VALUE_OUT_OF_RANGE', 'organization_name'],
    [{ email: 5 }, 'INVALID_INPUT', 'email'],
  ])('a registration with %j is refused as %s and names %s', async (wrong, code, field) => {
    const answer = await host.anonymous.post('/auth/register', registration(wrong));
    expect(refusal(answer)).toEqual({ status: 400, type: 'VALIDATION_ERROR', code });
    expect(answer.body.error.details).toMatchObject({ field, constraint: expect.any(String) });
    expect(answer.body.data).toBeNull();
    if (field === 'password') expect(answer.text).not.toContain(JSON.stringify(Object.values(wrong)[0]));
  });

  test('several broken rules are told in one list', async () => {
    const answer = await host.anonymous.post('/auth/register', { email: 'x', password: 'y' });
    expect(refusal(answer)).toEqual({ status: 400, type: 'VALIDATION_ERROR', code: 'INVALID_INPUT' });
    expect(answer.body.error.details.errors.map(({ field }: { field: string }) => field)).toEqual(['email', 'name', 'password']);
    expect(answer.text).not.toContain('"y"');
  });
});

describe('POST /api/v1/auth/login', () => {
  test('a login with the right password answers 200 with a new session', async () => {
    const account = await makeAccount(host);
    const { email, password } = account;
    const first = data(await host.anonymous.post('/auth/login', { email, password, device_info: { os: 'linux' } }));
    expect(first).toMatchObject({ user: { id: account.id, email }, expires_in: 3600, token_type: 'Bearer' });
    expect(first.refresh_token).not.toBe(account.refreshToken);
  });

  test('a wrong password and an unknown address get the same answer', async () => {
    const { email } = await makeAccount(host);
    const wrong = await host.anonymous.post('/auth/login', { email, password: 'wrong password' });
    const unknown = await host.anonymous.post('/auth/login', { email: uniqueEmail(), password: 'wrong password' });
    expect(refusal(wrong)).toEqual({ status: 401, type: 'UNAUTHORIZED', code: 'INVALID_CREDENTIALS' });
    expect(unknown.body.error).toEqual(wrong.body.error);
  });

  test('the sixth try for an address is refused, with the right password too, however many come at once', async () => {
    const { email, password } = await makeAccount(host);
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => host.anonymous.post('/auth/login', { email, password: 'wrong password' })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    const refused = await host.anonymous.post('/auth/login', { email, password });
    expect(refusal(refused)).toEqual({ status: 429, type: 'RATE_LIMITED', code: 'RATE_LIMIT_EXCEEDED' });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  });
});

describe('the envelope', () => {
  test('the caller’s request id is kept if it is harmless, and replaced otherwise', async () => {
    const ask = async (id: string) =>
      (await host.anonymous.post('/auth/login', {}, { headers: { 'x-request-id': id } })).body.meta.request_id;
    expect(await ask('abc-1.2_3')).toBe('abc-1.2_3');
    expect(await ask('a b')).toMatch(/^req_/);
    expect(await ask('x'.repeat(129))).toMatch(/^req_/);
  });

  test('the same endpoints answer below /api', async () => {
    const answer = await host.root.post('/api/auth/register', registration());
    expect(answer.status).toBe(201);
  });

  test('a body that is no JSON, of another type, or too large is refused in the envelope', async () => {
    const send = (body: string, contentType = 'application/json') => host.anonymous.post('/auth/login', body, { contentType });
    expect(refusal(await send('{'))).toEqual({ status: 400, type: 'VALIDATION_ERROR', code: 'INVALID_JSON' });
    expect(refusal(await send('{}', 'text/plain'))).toEqual({ status: 415, type: 'VALIDATION_ERROR', code: 'UNSUPPORTED_MEDIA_TYPE' });
    const large = JSON.stringify({ email: 'x'.repeat(5 * 1024 * 1024) });
    expect(refusal(await send(large))).toEqual({ status: 413, type: 'VALIDATION_ERROR', code: 'PAYLOAD_TOO_LARGE' });
    expect(refusal(await send('{"device_info":{"__proto__":{"a":1}}}'))).toEqual({
      status: 400,
      type: 'VALIDATION_ERROR',
      code: 'INVALID_INPUT',
    });
  });

  test('another method is refused with 405 and the methods that the path takes', async () => {
    const answer = await host.anonymous.get('/auth/login');
    expect(answer).toMatchObject({ status: 405, headers: { allow: 'POST' } });
    expect(answer.body.success).toBe(false);
  });
});
