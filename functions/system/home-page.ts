import { createHash } from 'node:crypto';
import manifest from '../../package.json' with { type: 'json' };

/** A link of the page at `/`, which says what runs here. The page loads nothing, runs no script and does not read the store. */
interface Place {
  path: string;
  name: string;
  about: string;
}

const PLACES: readonly { title: string; places: readonly Place[] }[] = [
  {
    title: 'Documentation',
    places: [
      { path: '/swagger-ui', name: 'The HTTP API', about: 'every operation, to read and to try out with your key' },
      { path: '/docs/openapi.json', name: 'OpenAPI document', about: 'the same for programs: generate a client from it' },
      { path: '/api', name: 'Code reference', about: 'modules, functions and types of the source; the first visit may take some seconds' },
    ],
  },
  {
    title: 'State of this server',
    places: [
      { path: '/healthz', name: 'Liveness', about: 'OK while the process runs' },
      { path: '/readyz', name: 'Readiness', about: 'Ready while the store answers and can be written' },
      { path: '/metrics', name: 'Metrics', about: 'for Prometheus' },
    ],
  },
];

const STYLE = `
:root { color-scheme: light dark; --text: #1c2430; --quiet: #4d5866; --page: #ffffff; --line: #d5dae1; --link: #0b57a4; --code: #f1f3f6; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6eaf0; --quiet: #a9b4c2; --page: #14181f; --line: #343c48; --link: #8cc2ff; --code: #1f2630; }
}
body { margin: 0; background: var(--page); color: var(--text); font: 1rem/1.6 system-ui, sans-serif; }
main { max-width: 44rem; margin: 0 auto; padding: 3rem 1.25rem; }
h1 { margin: 0; font-size: 2rem; line-height: 1.2; }
h2 { margin: 2.25rem 0 0.5rem; font-size: 1.15rem; }
p { margin: 0.75rem 0; }
ul { margin: 0; padding: 0; list-style: none; }
li { padding: 0.6rem 0; border-top: 1px solid var(--line); }
li span, .version { color: var(--quiet); }
a { color: var(--link); font-weight: 600; }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 3px; }
code, pre { font: 0.9rem/1.5 ui-monospace, monospace; background: var(--code); border-radius: 4px; }
code { padding: 0.1rem 0.3rem; }
pre { margin: 0.75rem 0; padding: 0.75rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; }
pre code { padding: 0; background: none; font: inherit; }
`;

const placeItem = ({ path, name, about }: Place) => `<li><a href="${path}">${name}</a> <span>– ${about}</span></li>`;

const sections = PLACES.map(
  ({ title, places }) => `
      <h2>${title}</h2>
      <ul>
        ${places.map(placeItem).join('\n        ')}
      </ul>`,
).join('');

export const HOME_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Brokkr</title>
    <link rel="icon" href="data:,">
    <style>${STYLE}</style>
  </head>
  <body>
    <main>
      <h1>Brokkr</h1>
      <p class="version">Two control planes, version ${manifest.version}</p>
      <p>
        The <strong>fleet</strong> keeps stacks of Kubernetes YAML. An agent in each cluster asks it what to run, applies it and reports
        back. The server itself never connects to a cluster.
      </p>
      <p>
        The <strong>AI gateway</strong> answers clients of OpenAI and Anthropic. It routes each call to a provider, holds budgets and limits,
        and records what the call has cost.
      </p>
${sections}

      <h2>First steps with the fleet</h2>
      <p>
        Each request carries a key in its header <code>Authorization</code>. An admin key is shown once, by the server’s first start. This
        request lists the agents: replace <code>YOUR_KEY</code>, and the address if this page has another.
      </p>
      <pre tabindex="0"><code>curl -s http://127.0.0.1:3000/api/v1/agents -H 'Authorization: Bearer YOUR_KEY'</code></pre>

      <h2>First steps with the AI gateway</h2>
      <p>
        Register; the answer has a <code>token</code>. With it make a key of your project, and give clients of OpenAI that key and the base
        URL <code>http://127.0.0.1:3000/v1</code>. The model <code>simulated/chat</code> answers without any account elsewhere.
      </p>
      <pre tabindex="0"><code>curl -s http://127.0.0.1:3000/api/v1/auth/register -H 'Content-Type: application/json' \\
  -d '{"email":"you@example.com","name":"You","password":"a long passphrase"}'
curl -s http://127.0.0.1:3000/api/v1/api-keys -H 'Authorization: Bearer TOKEN' \\
  -H 'Content-Type: application/json' -d '{"name":"first"}'
curl -s http://127.0.0.1:3000/v1/chat/completions -H 'Authorization: Bearer PROJECT_KEY' \\
  -H 'Content-Type: application/json' -d '{"model":"simulated/chat","messages":[{"role":"user","content":"Hello"}]}'</code></pre>
    </main>
  </body>
</html>
`;

const styleHash = createHash('sha256').update(STYLE).digest('base64');
export const HOME_CSP = `default-src 'none'; style-src 'sha256-${styleHash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
