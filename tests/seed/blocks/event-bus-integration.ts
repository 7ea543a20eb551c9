// event-bus-integration.ts
import { EventBusIntegration } from '@safla/sdk';

// Usage example
const eventBus = new EventBusIntegration(process.env.REDIS_URL!);

eventBus.on('event', ({ channel, event }) => {
  console.log(`Received event on ${channel}:`, event);
  
  // Process event based on channel
  switch (channel) {
    case 'safla.memory.update':
      handleMemoryUpdate(event);
      break;
    case 'safla.agent.task':
      handleAgentTask(event);
      break;
    default:
      console.log('Unknown event channel:', channel);
  }
});

function handleMemoryUpdate(event: any): void {
  // Handle memory update events
}

function handleAgentTask(event: any): void {
  // Handle agent task events
}

export { eventBus };
