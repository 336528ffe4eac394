/** The first part of every name in this deployment; the framework fills it in. */
const PREFIX = `\${self:custom.prefix}`;

/** The name of a function, table or queue in CloudFormation: `agent-fanout` → `AgentFanout`. */
const logicalName = (name) => name.replaceAll(/(?:^|-)(\w)/g, (_all, letter) => letter.toUpperCase());

module.exports = { PREFIX, logicalName };
