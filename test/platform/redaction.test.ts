import { describe, expect, test } from '@jest/globals';
import { createLog } from '../../lib/platform/log.ts';

const logged = (fields: Record<string, unknown>): string => {
  const lines: string[] = [];
  createLog({ write: (line) => lines.push(line) }).info('test', fields);
  return lines.join();
};
const REST = 'Z9x8W7v6U5t4S3r2Q1p0';

describe('a secret inside a text', () => {
  const SECRETS: Record<string, [secret: string, shown: string]> = {
    'an admin, agent or generator key': [`brokkr_BRabcdef_${REST.replaceAll('0', 'z')}`, 'brokkr_BRabcdef_'],
    'a project key': [`bk_${REST}`, 'bk_'],
    'a refresh token': [`rt_${REST}`, 'rt_'],
    'a signing secret': [`whsec_${REST}+/=`, 'whsec_'],
    "OpenAI's key": [`sk-proj-${REST}`, 'sk-proj-'],
    "OpenAI's older key": [`sk-${REST}`, 'sk-'],
    "Anthropic's key": [`sk-ant-api03-${REST}`, 'sk-ant-'],
    "Google's key": [`AIza${REST}`, 'AIza'],
    "GitHub's token": [`ghp_${REST}`, 'ghp_'],
    "Slack's token": [`xoxb-${REST}`, 'xoxb-'],
    'a JWT': [`eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.${REST}`, 'eyJ'],
    'an unsigned JWT': ['eyJhbGciOiJub25lIn0.eyJzdWIiOiJaOXg4VzcifQ.', 'eyJ'],
    'a bearer of anything': [`Bearer ${REST}`, 'Bearer '],
    'a basic credential': [`basic ${REST}`, 'basic '],
    'the password in an address': [`https://user:${REST}@example.com/x`, 'https://user:'],
    'the key in a query': [`https://example.com/?a=1&api_key=${REST}`, 'api_key='],
    'a private key': [`-----BEGIN RSA PRIVATE KEY-----\n${REST}\n-----END RSA PRIVATE KEY-----`, '-----BEGIN RSA PRIVATE KEY-----'],
  };
  test.each(Object.entries(SECRETS))('%s is masked anywhere in a text, and its kind stays readable', (_what, [secret, shown]) => {
    const error = new Error(`refused: ${secret}`, { cause: new Error(secret) });
    const line = logged({
      note: `Incorrect key provided: ${secret}, try again`,
      nested: { list: [secret] },
      error,
      map: new Map([['a', secret]]),
      set: new Set([secret]),
      [secret]: 1,
    });
    expect(line).toContain(JSON.stringify(shown).slice(1, -1));
    expect(line).toContain('[redacted]');
    const hidden = secret.includes(REST.slice(0, 6)) ? REST.slice(0, 6) : 'eyJzdWIi';
    expect(line).not.toContain(hidden);
  });
});

describe('a member with a secret name', () => {
  test.each([
    'authorization',
    'Authorization',
    'set-cookie',
    'password',
    'api_key',
    'apiKey',
    'x-api-key',
    'token',
    'refresh_token',
    'client-secret',
    'pak',
    'initial_pak',
    'private_key',
  ])('a member called %s is masked', (name) => {
    expect(logged({ nested: { [name]: 'short' } })).not.toContain('short');
  });
});

describe('a text that only resembles a secret', () => {
  test.each([
    [{ prompt_tokens: 12, completion_tokens: 18, total_tokens: 30, max_tokens: 5 }],
    [{ token_count: 7, tokens: 3, key: 'team', password_changed_at: '2026-01-01', secret_name: 'web-tls', cookie_count: 2 }],
    [{ text: 'task-force-of-the-twelve-people, risk-assessment-report, disk-usage-of-the-node' }],
    [{ text: 'the basic rules; a bearer of news; start_the_engine_at_once_please' }],
    [{ text: 'https://example.com:8080/path?page=2&next=abc' }],
    [{ id: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', checksum: 'a'.repeat(64), none: null }],
  ])('%j stays readable', (fields) => {
    expect(JSON.parse(logged(fields))).toMatchObject(fields);
  });
});

test('dates, bytes, addresses and big integers are logged as texts', () => {
  const line = logged({ when: new Date(0), bytes: Buffer.from('abc'), url: new URL('https://a:secret-one@example.com/'), big: 2n ** 60n });
  expect(JSON.parse(line)).toMatchObject({
    when: '1970-01-01T00:00:00.000Z',
    bytes: '[3 bytes]',
    url: 'https://a:[redacted]@example.com/',
    big: '1152921504606846976',
  });
});

describe('a secret behind an escape', () => {
  test.each([
    ['a new line of JSON inside a text', (secret: string) => JSON.stringify({ message: `refused\n${secret}` })],
    ['a character of JSON by its number', (secret: string) => `\\u0022${secret}\\u0022`],
    ['an encoded address', (secret: string) => `https://example.com/a%20${secret}`],
    ['a colour of a terminal', (secret: string) => `\u001b[31m${secret}`],
    ["a variable's name", (secret: string) => `MY_${secret}`],
  ])('a secret is masked behind an escape that ends in a letter or a digit: %s', (_where, wrap) => {
    for (const kind of ['brokkr_BRabcdef_', 'bk_', 'rt_', 'whsec_', 'sk-', 'sk-ant-', 'ghp_', 'AKIA', 'eyJ', 'Bearer ']) {
      const line = logged({ text: wrap(`${kind}${REST.replaceAll('0', 'z')}`), error: new Error('x', { cause: wrap(`${kind}${REST}`) }) });
      expect(line).not.toContain(REST.slice(0, 6));
    }
  });
});

test('every part of an encrypted token of five parts is masked', () => {
  const parts = ['eyJhbGciOiJSU0EtT0FFUCJ9', 'keyKeyKey', 'ivIvIvIv', 'textTextText', 'tagTagTag'];
  const line = logged({ text: parts.join('.') });
  for (const part of parts) expect(line).not.toContain(part);
});

test('a secret in the name of an error is masked', () => {
  expect(logged({ error: Object.assign(new Error('refused'), { name: `bk_${REST}` }) })).not.toContain(REST);
});

test('a long text is cut in the log, with its length', () => {
  const line = logged({ text: 'x'.repeat(100_000) });
  expect(line.length).toBeLessThan(20_000);
  expect(line).toContain('100000 characters');
});

test('a long text costs little time to mask, whatever shapes it seems to contain', () => {
  const beginnings = [
    'sk-',
    'eyJ',
    'eyJa-',
    'Bearer ',
    'https://a:',
    'brokkr_B_',
    '-----BEGIN PRIVATE KEY-----',
    'a.',
    'a+',
    '?key=',
    '%20',
  ];
  for (const part of beginnings) {
    const text = `${part.repeat(100_000 / part.length)}://bk_`;
    const started = process.cpuUsage();
    for (let n = 0; n < 10; n++) logged({ text });
    expect(process.cpuUsage(started).user).toBeLessThan(1_000_000);
  }
});
