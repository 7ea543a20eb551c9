// websocket-integration.ts
import { WebSocketIntegration } from '@safla/sdk/websocket';

// Usage in MCP server
export class WebSocketMCPServer {
  private wsIntegration: WebSocketIntegration;

  constructor(wsUrl: string) {
    this.wsIntegration = new WebSocketIntegration(wsUrl);
    this.setupEventHandlers();
  }

  private setupEventHandlers(): void {
    this.wsIntegration.on('message', (message) => {
      this.handleWebSocketMessage(message);
    });

    this.wsIntegration.on('connected', () => {
      console.log('WebSocket integration connected');
    });

    this.wsIntegration.on('disconnected', () => {
      console.log('WebSocket integration disconnected');
    });
  }

  private handleWebSocketMessage(message: any): void {
    // Process incoming WebSocket messages
    console.log('Received WebSocket message:', message);
    
    // Forward to SAFLA system if needed
    this.forwardToSAFLA(message);
  }

  private forwardToSAFLA(message: any): void {
    // Implementation to forward messages to SAFLA
  }

  async start(): Promise<void> {
    await this.wsIntegration.connect();
  }

  stop(): void {
    this.wsIntegration.close();
  }
}
