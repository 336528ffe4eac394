/** What every name of this deployment's begins with; the framework fills it in. */
const PREFIX = `\${self:custom.prefix}`;

/** `agent-fanout` → `AgentFanout`: how a function, table or queue is called in CloudFormation. */
const logicalName = (name) => name.replaceAll(/(?:^|-)(\w)/g, (_all, letter) => letter.toUpperCase());

module.exports = { PREFIX, logicalName };
