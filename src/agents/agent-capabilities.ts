/** Common capabilities by name. A host's own strings do as well: a capability is only compared. */
export const AgentCapabilities = {
  DATA_ANALYSIS: 'data-analysis',
  PATTERN_RECOGNITION: 'pattern-recognition',
  FORECASTING: 'forecasting',
  REPORTING: 'reporting',
  RESEARCH: 'research',
  PLANNING: 'planning',
  CODE_GENERATION: 'code-generation',
  TEXT_GENERATION: 'text-generation',
  DATA_RETRIEVAL: 'data-retrieval',
  COMMUNICATION: 'communication',
  MONITORING: 'monitoring',
  COORDINATION: 'coordination',
} as const;

/** One of {@link AgentCapabilities}, or a string of the host's. */
export type AgentCapability = (typeof AgentCapabilities)[keyof typeof AgentCapabilities] | (string & {});
