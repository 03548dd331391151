"""A conversational form filler: teacher, student, simulated user, tape trees and GREADTH."""
