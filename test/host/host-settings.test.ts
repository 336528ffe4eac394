import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { HELP, loadHostConfig, SETTINGS } from '../../infra/host/host-config.ts';

const known = SETTINGS.toSorted();
/** The settings that a text names, and other words that look like one. */
const named = (text: string) => [...new Set(text.match(/\b[A-Z]+(_[A-Z]+)+\b|\bHOST\b|\bPORT\b|\bKUBECONFIG\b/g))].sort();

test('--help names every setting and no unknown one', () => {
  expect(named(HELP)).toEqual(known);
});

test("the README's table names every setting and no unknown one", () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const table = readme.split('## Settings of the server')[1]?.split('\n## ')[0] ?? '';
  const names = [...table.matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell]) => cell).join(' ');
  expect(named(names)).toEqual(known);
});

test.each(['abc', '3.5', '-1', '65536'])('the port %s is refused with the rule for ports', (port) => {
  expect(() => loadHostConfig([], { PORT: port })).toThrow('bad configuration: PORT: must be a whole number from 0 to 65535');
});

const origins = (text: string) => loadHostConfig([], { BROKKR_CORS_ORIGINS: text }).config.BROKKR_CORS_ORIGINS;

test('origins are accepted as browsers send them', () => {
  const all = ['https://console.example.com', 'http://localhost:3001', 'http://[::1]:8080', 'chrome-extension://abcdef', '*'];
  expect(origins(`${all.join(', ')},`)).toEqual(all);
});

test.each([
  'console.example.com',
  'https://console.example.com/',
  'https://console.example.com/page',
  'https://console.example.com:443',
  'https://Console.example.com',
  'https://*.example.com',
  'https://a.example.com https://b.example.com',
])('the origin %s is refused, since no browser would send it', (origin) => {
  expect(() => origins(`http://localhost:3001,${origin}`)).toThrow(
    `bad configuration: BROKKR_CORS_ORIGINS.1: "${origin}" is not an origin`,
  );
});

test.each([
  { args: ['--try'], environment: {}, level: 'warn' },
  { args: ['--try'], environment: { BROKKR_LOG_LEVEL: 'info' }, level: 'info' },
  { args: [], environment: {}, level: 'info' },
])('the log of $args with $environment says $level and above', ({ args, environment, level }) => {
  expect(loadHostConfig(args, environment).config.BROKKR_LOG_LEVEL).toBe(level);
});
