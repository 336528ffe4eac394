import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { data, makeAccount, refusal, uniqueEmail } from './account-builder.ts';
import { type CollectedMail, collectMail } from './collected-mail.ts';
import { type TurningClock, turningClock } from './turning-clock.ts';

const SECRET = 'a secret of at least 32 characters';
let host: TestHost;
let clock: TurningClock;
let mail: CollectedMail;
beforeAll(async () => {
  clock = turningClock();
  mail = collectMail();
  host = await startTestHost({ clock, mail, config: { BROKKR_JWT_SECRET: SECRET } });
});
afterAll(() => host.stop());

const refreshWith = (refresh_token: string) => host.anonymous.post('/auth/refresh', { refresh_token });
const me = (token: string) => host.anonymous.as(`Bearer ${token}`).get('/users/me');
const UNAUTHORIZED = { status: 401, type: 'UNAUTHORIZED' };

describe('an access token', () => {
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = (head: object, claims: object, secret = SECRET, algorithm = 'sha256') => {
    const text = `${encode(head)}.${encode(claims)}`;
    return `${text}.${createHmac(algorithm, secret).update(text).digest('base64url')}`;
  };

  test('the claims are those that the contract names', async () => {
    const account = await makeAccount(host);
    const claims = JSON.parse(Buffer.from(account.token.split('.')[1] ?? '', 'base64url').toString());
    expect(claims).toMatchObject({
      iss: 'brokle',
      sub: account.id,
      user_id: account.id,
      email: account.email,
      organization_id: account.organizationId,
      token_type: 'access',
      exp: claims.iat + 3600,
      nbf: claims.iat,
    });
  });

  test('a token with another algorithm, signature, issuer or type is refused', async () => {
    const account = await makeAccount(host);
    const [head = '', body = '', signature = ''] = account.token.split('.');
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString());
    const own = { alg: 'HS256', typ: 'JWT' };
    expect((await me(signed(own, claims))).status).toBe(200);
    const forged = {
      'no algorithm': `${encode({ alg: 'none', typ: 'JWT' })}.${body}.`,
      'another HMAC': signed({ alg: 'HS512', typ: 'JWT' }, claims, SECRET, 'sha512'),
      'RS256 in the header': `${encode({ alg: 'RS256', typ: 'JWT' })}.${body}.${signature}`,
      'another secret': signed(own, claims, 'b'.repeat(32)),
      'another issuer': signed(own, { ...claims, iss: 'somebody' }),
      'another audience': signed(own, { ...claims, aud: 'somebody' }),
      'a refresh token’s type': signed(own, { ...claims, token_type: 'refresh' }),
      'a future begin': signed(own, { ...claims, nbf: claims.iat + 3_000 }),
      'no end': signed(own, { ...claims, exp: undefined }),
      'a changed body': `${head}.${encode({ ...claims, sub: 'x' })}.${signature}`,
      'no session': signed(own, { ...claims, sid: '01ARZ3NDEKTSV4RRFFQ69G5FAV' }),
    };
    const answers = await Promise.all(Object.entries(forged).map(async ([name, token]) => [name, (await me(token)).status]));
    expect(answers).toEqual(Object.keys(forged).map((name) => [name, 401]));
  });

  test('a token ends after an hour', async () => {
    const { token } = await makeAccount(host);
    clock.turn(3_600_000 + 31_000);
    expect(refusal(await me(token))).toEqual({ ...UNAUTHORIZED, code: 'TOKEN_EXPIRED' });
  });

  test('a missing token is told from a wrong one', async () => {
    expect(refusal(await host.anonymous.get('/users/me'))).toEqual({ ...UNAUTHORIZED, code: 'MISSING_CREDENTIALS' });
    expect(refusal(await me('garbage'))).toEqual({ ...UNAUTHORIZED, code: 'TOKEN_INVALID' });
  });
});

describe('POST /api/v1/auth/refresh', () => {
  test('a refresh gives a new pair that works', async () => {
    const account = await makeAccount(host);
    const pair = data(await refreshWith(account.refreshToken));
    expect(pair).toMatchObject({ user: { id: account.id }, expires_in: 3600, token_type: 'Bearer' });
    expect(pair.refresh_token).toMatch(/^rt_[A-Za-z0-9]{43}$/);
    expect(pair.refresh_token).not.toBe(account.refreshToken);
    expect((await me(pair.token)).status).toBe(200);
    data(await refreshWith(pair.refresh_token));
  });

  test('several refreshes with one token at once, and one within ten seconds, give the same pair', async () => {
    const { refreshToken } = await makeAccount(host);
    const pairs = (await Promise.all([1, 2, 3, 4].map(() => refreshWith(refreshToken)))).map(data);
    clock.turn(8_000);
    pairs.push(data(await refreshWith(refreshToken)));
    expect(new Set(pairs.map(({ token, refresh_token }) => `${token} ${refresh_token}`)).size).toBe(1);
  });

  test('a token that was replaced longer ago ends the session with all its tokens, and is audited', async () => {
    const account = await makeAccount(host);
    const pair = data(await refreshWith(account.refreshToken));
    clock.turn(11_000);
    expect(refusal(await refreshWith(account.refreshToken))).toEqual({ ...UNAUTHORIZED, code: 'REFRESH_TOKEN_REUSED' });
    expect(refusal(await refreshWith(pair.refresh_token))).toEqual({ ...UNAUTHORIZED, code: 'REFRESH_TOKEN_INVALID' });
    expect(refusal(await me(pair.token))).toEqual({ ...UNAUTHORIZED, code: 'TOKEN_REVOKED' });
    const { body } = await host.admin.get('/admin/audit-logs?action=session.reuse_detected');
    expect(body.logs[0]).toMatchObject({ resource_id: account.id, actor_type: 'system' });
  });

  test('a token of two rotations ago ends the session, too', async () => {
    const account = await makeAccount(host);
    const second = data(await refreshWith(account.refreshToken));
    const third = data(await refreshWith(second.refresh_token));
    expect(refusal(await refreshWith(account.refreshToken)).code).toBe('REFRESH_TOKEN_REUSED');
    expect((await refreshWith(third.refresh_token)).status).toBe(401);
  });

  test('a session that rests for seven days ends, and no session lasts longer than thirty', async () => {
    const [idle, busy] = [await makeAccount(host), await makeAccount(host)];
    let token = busy.refreshToken;
    const days: number[] = [];
    for (let day = 6; day <= 36; day += 6) {
      clock.turn(6 * 86_400_000);
      const answer = await refreshWith(token);
      days.push(answer.status);
      token = answer.body.data?.refresh_token ?? token;
    }
    expect(days).toEqual([200, 200, 200, 200, 401, 401]);
    expect((await refreshWith(idle.refreshToken)).status).toBe(401);
  });

  test('an unknown or malformed token is refused', async () => {
    for (const token of ['', 'x', `rt_${'a'.repeat(43)}`, `rt_${'a'.repeat(44)}`])
      expect(refusal(await refreshWith(token))).toEqual({ ...UNAUTHORIZED, code: 'REFRESH_TOKEN_INVALID' });
  });
});

describe('the end of sessions', () => {
  test('a logout ends the session’s access and refresh tokens, and no other session', async () => {
    const account = await makeAccount(host);
    const other = data(await host.anonymous.post('/auth/login', { email: account.email, password: account.password }));
    expect(data(await account.api.post('/auth/logout'))).toEqual({ logged_out: true });
    expect(refusal(await me(account.token))).toEqual({ ...UNAUTHORIZED, code: 'TOKEN_REVOKED' });
    expect((await refreshWith(account.refreshToken)).status).toBe(401);
    expect((await me(other.token)).status).toBe(200);
  });

  test('a logout of all ends every session', async () => {
    const account = await makeAccount(host);
    const other = data(await host.anonymous.post('/auth/login', { email: account.email, password: account.password }));
    expect((await me(other.token)).status).toBe(200);
    data(await account.api.post('/auth/logout', { all: true }));
    // Another instance, or another session of this one, notices within five seconds.
    clock.turn(5_000);
    for (const token of [account.token, other.token]) expect((await me(token)).status).toBe(401);
    for (const token of [account.refreshToken, other.refresh_token]) expect((await refreshWith(token)).status).toBe(401);
    data(await host.anonymous.post('/auth/login', { email: account.email, password: account.password }));
  });

  test('a user lists his sessions and ends one of them, and no stranger’s', async () => {
    const account = await makeAccount(host);
    const login = { email: account.email, password: account.password, device_info: { os: 'linux' } };
    const other = data(await host.anonymous.post('/auth/login', login));
    const sessions = data(await account.api.get('/auth/sessions'));
    expect(sessions.map(({ current, device_info }: { current: boolean; device_info: unknown }) => [current, device_info])).toEqual(
      expect.arrayContaining([
        [true, null],
        [false, { os: 'linux' }],
      ]),
    );
    const { id } = sessions.find(({ current }: { current: boolean }) => !current);
    const stranger = await makeAccount(host);
    expect(refusal(await stranger.api.post(`/auth/sessions/${id}/revoke`)).code).toBe('SESSION_NOT_FOUND');
    data(await account.api.post(`/auth/sessions/${id}/revoke`));
    expect((await me(other.token)).status).toBe(401);
    expect(data(await account.api.get('/auth/sessions'))).toHaveLength(1);
    data(await account.api.post('/auth/sessions/revoke-all'));
    expect((await me(account.token)).status).toBe(401);
  });
});

describe('a forgotten password', () => {
  const forgot = (email: string) => host.anonymous.post('/auth/forgot-password', { email });
  const reset = (token: string, password = 'a new password') => host.anonymous.post('/auth/reset-password', { token, password });

  test('the mailed token sets a new password once, and ends all sessions', async () => {
    const account = await makeAccount(host);
    expect(data(await forgot(account.email))).toEqual({ requested: true });
    const token = mail.tokenFor(account.email);
    expect(token).not.toBe('');
    expect(data(await reset(token))).toEqual({ reset: true });
    expect(refusal(await reset(token))).toEqual({ status: 400, type: 'VALIDATION_ERROR', code: 'RESET_TOKEN_INVALID' });
    clock.turn(5_000);
    expect((await me(account.token)).status).toBe(401);
    expect((await refreshWith(account.refreshToken)).status).toBe(401);
    const login = (password: string) => host.anonymous.post('/auth/login', { email: account.email, password });
    expect((await login(account.password)).status).toBe(401);
    data(await login('a new password'));
    expect(host.logged.join()).not.toContain(token);
  });

  test('an unknown address gets the same answer, no mail, and no faster', async () => {
    const account = await makeAccount(host);
    const timed = async (email: string) => {
      const started = performance.now();
      const { status, body } = await forgot(email);
      return { status, data: body.data, slow: performance.now() - started >= 490 };
    };
    const unknown = uniqueEmail();
    expect([await timed(account.email), await timed(unknown)]).toEqual(
      [1, 2].map(() => ({ status: 200, data: { requested: true }, slow: true })),
    );
    expect(mail.messages.some(({ to }) => to === unknown)).toBe(false);
  });

  test('a token ends after an hour, and an older one with the next new password', async () => {
    const account = await makeAccount(host);
    await forgot(account.email);
    const first = mail.tokenFor(account.email);
    await forgot(account.email);
    const second = mail.tokenFor(account.email);
    data(await reset(second));
    expect((await reset(first)).status).toBe(400);
    await forgot(account.email);
    const late = mail.tokenFor(account.email);
    clock.turn(3_600_001);
    expect((await reset(late)).status).toBe(400);
  });

  test('two resets with one token at once set one password', async () => {
    const account = await makeAccount(host);
    await forgot(account.email);
    const token = mail.tokenFor(account.email);
    const answers = await Promise.all([reset(token, 'password one'), reset(token, 'password two')]);
    expect(answers.map(({ status }) => status === 200).sort()).toEqual([false, true]);
  });

  test('the sixth request for an address within a quarter of an hour is refused', async () => {
    const email = uniqueEmail();
    const statuses = await Promise.all(Array.from({ length: 6 }, async () => (await forgot(email)).status));
    expect(statuses.sort()).toEqual([200, 200, 200, 200, 200, 429]);
  });
});
