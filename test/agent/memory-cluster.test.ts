import { createMemoryCluster } from '../../agent/cluster/memory/memory-cluster.ts';
import { clusterContract } from './cluster-contract.ts';

clusterContract('the cluster in memory', async () => ({
  cluster: createMemoryCluster({ namespaces: ['default', 'contract'] }),
  namespace: 'contract',
  dispose: async () => {},
}));
