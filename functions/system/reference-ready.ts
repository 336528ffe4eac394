import { fileURLToPath } from 'node:url';
import type { Log } from '../../lib/platform/log.ts';
import { buildReference, findTypedoc, isReferenceCurrent } from './reference-build.ts';
import { REFERENCE_FOLDER } from './reference-files.ts';

/** `building`: the build takes longer than this request can wait. `missing`: this server has no reference and cannot build one. */
export type ReferenceState = 'ready' | 'building' | 'missing';

/** A visitor waits at most this long for the build, which takes about ten seconds. */
const WAIT_MS = 25_000;
const folder = fileURLToPath(REFERENCE_FOLDER);
let preparing: Promise<boolean> | undefined;

/**
 * Makes sure that the reference is current, if this server can build it. The first call in a process builds it if it is missing or older
 * than the code; later calls share that outcome. Never throws.
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
