// graphql-integration.ts
import { gql, GraphQLIntegration } from '@safla/sdk/graphql';

export class UserGraphQLIntegration extends GraphQLIntegration {
  // Example queries
  async getUserData(userId: string) {
    const query = gql`
      query GetUser($userId: ID!) {
        user(id: $userId) {
          id
          name
          email
          profile {
            bio
            avatar
          }
        }
      }
    `;

    return await this.query(query, { userId });
  }

  async createUser(userData: any) {
    const mutation = gql`
      mutation CreateUser($input: UserInput!) {
        createUser(input: $input) {
          id
          name
          email
        }
      }
    `;

    return await this.mutation(mutation, { input: userData });
  }
}
