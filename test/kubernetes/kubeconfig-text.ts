export interface KubeconfigInput {
  server: string;
  /** PEM. */
  ca: string;
  token: string;
  user: string;
  namespace?: string;
}

/** A kubeconfig that needs no other file. It is JSON, which is YAML too. */
export const kubeconfigText = ({ server, ca, token, user, namespace }: KubeconfigInput): string =>
  JSON.stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'brokkr', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
      users: [{ name: user, user: { token } }],
      contexts: [{ name: 'brokkr', context: { cluster: 'brokkr', user, ...(namespace !== undefined && { namespace }) } }],
      'current-context': 'brokkr',
    },
    null,
    2,
  );
