import { Counter, Gauge, Histogram, Registry } from 'prom-client';

/** This process's metrics. On Lambda each instance counts on its own, so read CloudWatch there; scrape only the one-process host. */
export interface Metrics {
  registry: Registry;
  httpRequest(answer: { route: string; method: string; status: number; seconds: number }): void;
  activeAgents: Gauge;
  stacks: Gauge;
  deploymentObjects: Gauge;
  heartbeatAge: Gauge<'agent_id' | 'agent_name'>;
  developmentKeyInUse: Gauge;
  callRecordsWaiting: Gauge;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'brokkr_http_requests_total',
    help: 'HTTP requests answered',
    labelNames: ['endpoint', 'method', 'status'],
    registers,
  });
  const durations = new Histogram({
    name: 'brokkr_http_request_duration_seconds',
    help: 'Time to answer an HTTP request',
    labelNames: ['endpoint', 'method'],
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  return {
    registry,
    httpRequest({ route, method, status, seconds }) {
      requests.inc({ endpoint: route, method, status });
      durations.observe({ endpoint: route, method }, seconds);
    },
    activeAgents: gauge('brokkr_active_agents', 'Agents whose status is ACTIVE'),
    stacks: gauge('brokkr_stacks_total', 'Live stacks'),
    deploymentObjects: gauge('brokkr_deployment_objects_total', 'Deployment objects of live stacks'),
    heartbeatAge: new Gauge({
      name: 'brokkr_agent_heartbeat_age_seconds',
      help: "Seconds since an agent's last heartbeat",
      labelNames: ['agent_id', 'agent_name'],
      registers,
    }),
    callRecordsWaiting: gauge('brokkr_call_records_waiting', 'Records of inference calls that the queue has not taken yet'),
    developmentKeyInUse: gauge('brokkr_default_admin_pak_hash_in_use', '1 while the public development key is accepted'),
  };
}
