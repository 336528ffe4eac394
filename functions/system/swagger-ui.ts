import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** A file of Swagger UI. Two come from its npm package; the page and its start script are ours. */
export interface PageFile {
  contentType: string;
  text: string;
}

const JAVASCRIPT = 'text/javascript; charset=utf-8';
const CSS = 'text/css; charset=utf-8';

/**
 * Forbids other hosts and inline scripts. The library sets style attributes, which need `unsafe-inline` for styles, and its style sheet
 * contains icons as `data:` images.
 */
export const SWAGGER_CSP =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export const SWAGGER_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Brokkr API</title>
    <link rel="icon" href="data:,">
    <link rel="stylesheet" href="/swagger-ui/swagger-ui.css">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/swagger-ui/swagger-ui-bundle.js"></script>
    <script src="/swagger-ui/start.js"></script>
  </body>
</html>
`;

const START = `window.ui = SwaggerUIBundle({
  url: '/docs/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  persistAuthorization: false,
  // The library would send the document's address to a validator on the internet.
  validatorUrl: null,
});
`;

const FROM_PACKAGE: Readonly<Record<string, string>> = { 'swagger-ui.css': CSS, 'swagger-ui-bundle.js': JAVASCRIPT };
const files = new Map<string, PageFile>([['start.js', { contentType: JAVASCRIPT, text: START }]]);

/** A file of the page by its name; undefined for any other name. Read once. */
export function swaggerFile(name: string): PageFile | undefined {
  const known = files.get(name);
  if (known) return known;
  const contentType = Object.hasOwn(FROM_PACKAGE, name) ? FROM_PACKAGE[name] : undefined;
  if (contentType === undefined) return undefined;
  const path = createRequire(import.meta.url).resolve(`swagger-ui-dist/${name}`);
  const file = { contentType, text: readFileSync(path, 'utf8') };
  files.set(name, file);
  return file;
}
