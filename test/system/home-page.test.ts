import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { browserPath, openBrowser } from '../harness/browser.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost();
});
afterAll(() => host.stop());

test('the root page loads nothing and runs no script', async () => {
  const { status, headers, text } = await host.root.get('/');
  expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
  expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-/);
  expect(text).not.toMatch(/<script|<img|@import|url\(|\bsrc=/);
});

test('each link of the root page leads to an existing page', async () => {
  const { text } = await host.root.get('/');
  const links = [...text.matchAll(/<a href="([^"]+)">/g)].map(([, href]) => href ?? '');
  expect(links).toContain('/swagger-ui');
  expect(links).toContain('/api');
  for (const link of links) {
    let { status, headers } = await host.root.get(link);
    // The reference may still be on its way; each request waits for it a while.
    while (link === '/api' && status === 503) ({ status, headers } = await host.root.get(link));
    const reached = status === 302 ? await host.root.get(headers.location ?? '') : { status };
    expect({ link, status: reached.status }).toEqual({ link, status: 200 });
  }
}, 120_000);

const inBrowser = browserPath === undefined ? test.skip : test;
if (browserPath === undefined) console.info('skipped: the root page in a browser (install chromium, or set CHROMIUM_PATH)');

/** The smallest contrast between a text and its background, by WCAG's formula. */
const SMALLEST_CONTRAST = `(() => {
  const luminance = (css) => {
    const [r, g, b] = css.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255).map((part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const opaque = (css) => css !== 'transparent' && !css.endsWith(', 0)');
  const behind = (element) => {
    const { backgroundColor } = getComputedStyle(element);
    return opaque(backgroundColor) ? backgroundColor : behind(element.parentElement);
  };
  const ratios = [...document.querySelectorAll('main *')].map((element) => {
    const [a, b] = [luminance(getComputedStyle(element).color), luminance(behind(element))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  });
  return Math.min(...ratios);
})()`;

inBrowser.each(['light', 'dark'])('the root page is readable in a browser in %s mode, and the browser logs no error', async (scheme) => {
  const page = await openBrowser(browserPath ?? '', { colorScheme: scheme });
  try {
    await page.open(`${host.url}/`);
    expect(await page.evaluate(`matchMedia('(prefers-color-scheme: ${scheme})').matches`)).toBe(true);
    expect(await page.evaluate(SMALLEST_CONTRAST)).toBeGreaterThanOrEqual(4.5);
    if (process.env.SCREENSHOTS) await writeFile(`${process.env.SCREENSHOTS}/home-${scheme}.png`, await page.screenshot());
    expect(page.requested.filter((url) => !url.startsWith('data:') && url !== 'about:blank')).toEqual([`${host.url}/`]);
    expect(page.complaints).toEqual([]);
  } finally {
    await page.close();
  }
});

test('the root page is answered without the store', async () => {
  process.kill(host.engines.dynamoDbPid ?? 0, 'SIGKILL');
  expect((await host.root.get('/')).status).toBe(200);
});
