import { fileURLToPath } from 'node:url';
import type { Log } from '../../lib/platform/log.ts';
import { buildReference, findTypedoc, isReferenceCurrent } from './reference-build.ts';
import { REFERENCE_FOLDER } from './reference-files.ts';

/** `building`: it is on its way, and longer than this request can wait. `missing`: this server has none and cannot build one. */
export type ReferenceState = 'ready' | 'building' | 'missing';

/** A visitor waits so long for the build, which takes about ten seconds. */
const WAIT_MS = 25_000;
const folder = fileURLToPath(REFERENCE_FOLDER);
let preparing: Promise<boolean> | undefined;

/**
 * Makes sure that there is a reference of the present code, as far as this server can: the first call in a process builds it where it
 * is missing or older than the code; the calls after that share its outcome. Never throws.
 */
export async function prepareReference(log: Log): Promise<ReferenceState> {
  preparing ??= prepare(log);
  const waited = new Promise<'building'>((resolve) => setTimeout(resolve, WAIT_MS, 'building').unref());
  const outcome = await Promise.race([preparing, waited]);
  if (outcome === 'building') return outcome;
  return outcome ? 'ready' : 'missing';
}

async function prepare(log: Log): Promise<boolean> {
  if (await isReferenceCurrent(folder)) return true;
  const typedoc = findTypedoc();
  if (typedoc === undefined) return false;
  try {
    log.info('reference_build_started', { folder });
    await buildReference(folder, typedoc);
    return true;
  } catch (error) {
    log.error('reference_build_failed', { folder, error });
    return false;
  }
}

const page = (title: string, text: string, head = '') => `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">${head}<title>Brokkr: ${title}</title></head>
  <body>
    <h1>${title}</h1>
    <p>${text}</p>
    <p>The HTTP API is documented at <a href="/swagger-ui">/swagger-ui</a>.</p>
  </body>
</html>
`;

export const BUILDING_PAGE = page(
  'The code’s reference is being built',
  'This page loads itself again until it is there.',
  '<meta http-equiv="refresh" content="5">',
);
export const MISSING_PAGE = page(
  'The code’s reference is not here',
  'This server was installed without the tools that build it, or the build failed: its log says why. <code>npm ci &amp;&amp; npm run docs:api</code> in the project’s folder builds it.',
);
