// api-integration.ts
import { APIIntegration } from '@safla/sdk';

// Usage example
const apiIntegration = new APIIntegration(
  'https://api.example.com/v1',
  process.env.API_KEY!,
  50 // 50 requests per hour
);

// Use in MCP server
export class APIIntegrationMCPServer {
  private api: APIIntegration;

  constructor() {
    this.api = new APIIntegration(
      process.env.API_BASE_URL!,
      process.env.API_KEY!
    );
  }

  async handleAPICall(endpoint: string, method: string, data?: any) {
    try {
      switch (method.toUpperCase()) {
        case 'GET':
          return await this.api.get(endpoint);
        case 'POST':
          return await this.api.post(endpoint, data);
        case 'PUT':
          return await this.api.put(endpoint, data);
        case 'DELETE':
          return await this.api.delete(endpoint);
        default:
          throw new Error(`Unsupported method: ${method}`);
      }
    } catch (error) {
      console.error('API call failed:', error);
      throw error;
    }
  }
}

export { apiIntegration };
