"""DynamoDB, SQS, Cognito and SSM on one machine: moto server, with what it lacks put right.

`front` stands before moto and sees every call. It puts right what can be put right from outside
(`conflicts`, `polling`, `accounts`); what has to reach into moto does so in modules of its own,
each with its reason (`moto_tables`, `moto_pools`).
"""
