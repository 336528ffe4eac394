import type { Host } from './start-host.ts';
import type { TryOutAgent } from './try-out-agent.ts';

export interface WelcomeFacts {
  dataDir: string | undefined;
  /** Whether an admin key is configured, stored or missing; the public one does not count. */
  adminKey: 'configured' | 'stored' | 'missing';
  agent: Pick<TryOutAgent, 'id' | 'name' | 'cluster' | 'unreachable'> | undefined;
  /** Whether the server listens on every interface. */
  everywhere: boolean;
}

/** The text that shows the key that the first start has minted. */
export const firstKey = (adminPak: string): string[] => [
  '',
  'This is the first start. Keep your admin key: it is shown only once and stored nowhere.',
  '',
  `  ${adminPak}`,
  '',
];

/** The text that shows the key that replaces the stored one, and says which other keys still work. */
export function newKey({ pak, replaced }: { pak: string; replaced: boolean }, isOneConfigured: boolean): string {
  const others = [
    ...(replaced ? ['the key stored before no longer works'] : []),
    ...(isOneConfigured ? ['the key of BROKKR_ADMIN_PAK_HASH still works'] : []),
  ];
  return `${['The new admin key, shown only once', ...others].join('; ')}:\n\n  ${pak}\n\n`;
}

/** The text that `npm start` prints when the server listens. */
export function welcome(
  { url: listening, adminPak, config, engines }: Pick<Host, 'url' | 'adminPak' | 'config' | 'engines'>,
  facts: WelcomeFacts,
): string {
  const { dataDir, adminKey, agent, everywhere } = facts;
  const url = listening.replace('[::]', '[::1]');
  const store =
    engines.dynamoDbPid === undefined
      ? `in ${config.DYNAMODB_ENDPOINT ?? 'the DynamoDB that the AWS SDK is configured for'}`
      : dataDir
        ? `in ${dataDir}`
        : 'in memory: gone when this stops';
  const about = [
    `Brokkr listens on ${everywhere ? `every interface, port ${new URL(url).port || 80}` : url}`,
    `The data is ${store}`,
    `API: ${url}/swagger-ui   health: ${url}/readyz   metrics: ${url}/metrics`,
  ];
  const first = adminPak
    ? [
        ...firstKey(adminPak),
        'What to do next with the fleet: create a generator, the owner of stacks.',
        '',
        `  curl -s ${url}/api/v1/generators -H 'Authorization: Bearer ${adminPak}' \\`,
        `    -H 'Content-Type: application/json' -d '{"name":"first"}'`,
        '',
        'What to do next with the AI gateway: register. The answer has the token with which you make keys for OpenAI clients.',
        '',
        `  curl -s ${url}/api/v1/auth/register -H 'Content-Type: application/json' \\`,
        `    -d '{"email":"you@example.com","name":"You","password":"a long passphrase"}'`,
      ]
    : {
        configured: [],
        stored: ['The admin key was shown when it was made; if it is lost: npm start -- --rotate-admin-pak'],
        missing: ['There is no admin key, stored or configured. To make one, stop this and run: npm start -- --rotate-admin-pak'],
      }[adminKey];
  const trying = agent ? ['', placeOf(agent), `Its id: ${agent.id}`] : [];
  return `${[...about, ...trying, ...first, '', 'Ctrl-C stops.'].join('\n')}\n`;
}

function placeOf({ name, cluster, unreachable }: Pick<TryOutAgent, 'name' | 'cluster' | 'unreachable'>): string {
  if (cluster === 'memory') return `The agent "${name}" works on a cluster in memory: what it deploys exists only in this process.`;
  if (unreachable !== undefined) {
    return `The agent "${name}" can't reach the cluster of your kubeconfig (${unreachable}) and keeps trying: check that its API server runs.`;
  }
  return `The agent "${name}" works on the cluster of your kubeconfig: what you deploy to it is real.`;
}
