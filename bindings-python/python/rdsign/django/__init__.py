"""Support for Django: see `rdsign.django.postgresql`."""
