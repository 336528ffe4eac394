import { explainMissingBinaries, findBinaries } from './kubernetes-binaries.ts';
import { type LaunchedCluster, launchCluster } from './start-cluster.ts';
import { TEST_CLUSTER_VARIABLE, type TestClusterNote } from './test-cluster-note.ts';

/** Jest loads setup and teardown as separate modules, which share only the process. */
const HELD = Symbol.for('brokkr.test.kubernetes');
const held = globalThis as { [HELD]?: LaunchedCluster };

/**
 * Launches the one cluster of a test run without waiting for it, so that other tests are not delayed. If binaries are missing, it says
 * in one line what is skipped, or fails if BROKKR_REQUIRE_KUBERNETES is 1.
 */
export function launchTestCluster(): void {
  const binaries = findBinaries();
  if (!binaries) {
    const line = explainMissingBinaries('Tests on a real Kubernetes API server are skipped');
    if (process.env.BROKKR_REQUIRE_KUBERNETES === '1') throw new Error(line);
    process.stderr.write(`${line}\n`);
    return;
  }
  const launched = launchCluster({ binaries });
  launched.unref();
  held[HELD] = launched;
  const note: TestClusterNote = { directory: launched.directory };
  process.env[TEST_CLUSTER_VARIABLE] = JSON.stringify(note);
  void launched.ended.then((why) => why !== undefined && process.stderr.write(`The test cluster is gone: ${why}\n`));
}

export async function stopTestCluster(): Promise<void> {
  await held[HELD]?.stop();
  delete held[HELD];
  delete process.env[TEST_CLUSTER_VARIABLE];
}
