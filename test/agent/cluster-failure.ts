import { ClusterError } from '../../agent/cluster/cluster.ts';

/** The error of a call that has to fail. */
export async function failureOf(call: Promise<unknown>): Promise<ClusterError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ClusterError) return error;
  throw new Error(`expected a ClusterError, not ${error === undefined ? 'a success' : String(error)}`);
}
