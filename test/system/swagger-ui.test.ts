import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { browserPath, openBrowser, type Page } from '../harness/browser.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost();
});
afterAll(() => host.stop());

test.each(['/swagger-ui', '/swagger-ui/', '/openapi'])(
  '%s is the page of Swagger UI and may load nothing from other hosts',
  async (path) => {
    const { status, headers, text } = await host.root.get(path);
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
    expect(text).not.toMatch(/https?:\/\//);
  },
);

test.each([
  ['swagger-ui.css', 'text/css; charset=utf-8'],
  ['swagger-ui-bundle.js', 'text/javascript; charset=utf-8'],
  ['start.js', 'text/javascript; charset=utf-8'],
])('the file %s of Swagger UI is served by this host', async (file, type) => {
  const { status, headers } = await host.root.get(`/swagger-ui/${file}`);
  expect([status, headers['content-type']]).toEqual([200, type]);
});

test.each(['package.json', 'index.html', '..%2Fpackage.json', '__proto__', 'constructor', 'swagger-ui.css.map'])(
  'the file %s of the package of Swagger UI is not served',
  async (file) => {
    expect(await host.root.get(`/swagger-ui/${file}`)).toMatchObject({ status: 404, text: 'not found' });
  },
);

const inBrowser = browserPath === undefined ? test.skip : test;
if (browserPath === undefined) console.info('skipped: Swagger UI in a browser (install chromium, or set CHROMIUM_PATH)');

/** A script that clicks the first element that matches. */
const click = (selector: string) => `document.querySelector(${JSON.stringify(selector)}).click()`;
const LIST_AGENTS = '#operations-agents-list_agents';

async function authorize(page: Page, pak: string): Promise<void> {
  await page.waitFor(`!!document.querySelector('.authorize')`);
  await page.evaluate(click('.btn.authorize'));
  await page.waitFor(`!!document.querySelector('.auth-container input')`);
  // React listens for the setter's event, not for the attribute.
  await page.evaluate(`(() => {
    const input = document.querySelector('.auth-container input');
    Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(input, ${JSON.stringify(pak)});
    input.dispatchEvent(new Event('input', { bubbles: true }));
    input.dispatchEvent(new Event('change', { bubbles: true }));
  })()`);
  await page.evaluate(click('.auth-container .authorize'));
  await page.evaluate(click('.close-modal'));
}

inBrowser('a person can authorize and try an operation in Swagger UI, and the browser logs no error', async () => {
  const page = await openBrowser(browserPath ?? '');
  try {
    // The library renders only what can be seen. The address names the operation, which is scrolled to and opened.
    await page.open(`${host.url}/swagger-ui#/agents/list_agents`);
    await page.waitFor(`!!document.querySelector('${LIST_AGENTS}')`);
    await authorize(page, host.adminPak);
    await page.waitFor(`!!document.querySelector('${LIST_AGENTS} .try-out__btn')`);
    await page.evaluate(click(`${LIST_AGENTS} .try-out__btn`));
    await page.waitFor(`!!document.querySelector('${LIST_AGENTS} .execute')`);
    await page.evaluate(click(`${LIST_AGENTS} .execute`));
    await page.waitFor(`!!document.querySelector('${LIST_AGENTS} .live-responses-table .response-col_status')`);
    const shown = await page.evaluate(`document.querySelector('${LIST_AGENTS} .live-responses-table .response').innerText`);
    if (process.env.SCREENSHOTS) await writeFile(`${process.env.SCREENSHOTS}/swagger-ui.png`, await page.screenshot());
    expect(shown).toMatch(/^200/);
    expect(page.requested.filter((url) => !url.startsWith(host.url) && !url.startsWith('data:') && url !== 'about:blank')).toEqual([]);
    expect(page.complaints).toEqual([]);
  } finally {
    await page.close();
  }
});
