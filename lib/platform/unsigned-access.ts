/**
 * The headers of a request to an engine other than AWS's. Such an engine requires a signature and never checks it, so a constant saves the
 * search for credentials and the signing, which is a fifth of a small call's CPU and more of a large one's.
 */
export const unsignedHeaders = (service: 'dynamodb' | 'sqs', region = 'us-east-1') => ({
  authorization: `AWS4-HMAC-SHA256 Credential=local/20260101/${region}/${service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=unsigned`,
  'x-amz-date': '20260101T000000Z',
});

/** The settings of an SDK's client for such an engine. */
export function unsignedAccess(service: 'dynamodb' | 'sqs', region = 'us-east-1') {
  const headers = unsignedHeaders(service, region);
  return {
    region,
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    signer: {
      sign: async <T extends { headers: Record<string, string> }>(request: T): Promise<T> =>
        Object.assign(request, { headers: { ...request.headers, ...headers } }),
    },
  };
}
